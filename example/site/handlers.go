package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/cachegen/cachegen/example/shop"
	"gorm.io/gorm"
)

// pageSize is how many croupons a page of a city shows.
const pageSize = 10

// country is where the shop's cities are.
const country = "US"

type frontPage struct{ Cities []cityRow }

type cityRow struct {
	*shop.City
	Croupons int64
}

// front shows the cities.
func (s *site) front(v *visit) (answer, error) {
	cities, err := s.m.City.Cache.ListByCountry(v.ctx, country)
	if err != nil {
		return answer{}, err
	}
	var p frontPage
	for _, c := range cities {
		n, err := s.m.Croupon.Cache.CountByCity(v.ctx, c.Name)
		if err != nil {
			return answer{}, err
		}
		p.Cities = append(p.Cities, cityRow{c, n})
	}
	return answer{page: "front", title: "Croupons, city by city", data: p}, nil
}

type cityPage struct {
	City       *shop.City
	Newest     *shop.Croupon // nil where the city has none
	Croupons   []crouponRow
	Counts     []categoryCount
	Page       int
	Prev, Next int // 0 where there is none
}

type crouponRow struct {
	*shop.Croupon // with its merchant
	Rank          int
}

type categoryCount struct {
	Category string
	Croupons int64
}

// city shows a city's most popular croupons, ten at a time, with their merchants.
func (s *site) city(v *visit) (answer, error) {
	name := v.r.PathValue("name")
	p := cityPage{Page: 1}
	if number := v.r.URL.Query().Get("page"); number != "" {
		var err error
		if p.Page, err = strconv.Atoi(number); err != nil || p.Page < 1 || p.Page > 1000 {
			return answer{}, problem{http.StatusBadRequest, fmt.Sprintf("A page has a number from 1 on, not %.40q.", number)}
		}
	}
	var err error
	if p.City, err = s.m.City.Cache.Get(v.ctx, name); err != nil {
		return answer{}, err
	}
	for _, category := range s.categories {
		n, err := s.m.Croupon.Cache.CountInCategory(v.ctx, name, category)
		if err != nil {
			return answer{}, err
		}
		p.Counts = append(p.Counts, categoryCount{category, n})
	}
	// One more than the page shows, to see whether there is a next one.
	offset := (p.Page - 1) * pageSize
	croupons, err := s.m.Croupon.Cache.WithMerchant().ListPopularInCityPage(v.ctx, name, offset, pageSize+1)
	if err != nil {
		return answer{}, err
	}
	if len(croupons) == 0 && p.Page > 1 {
		return answer{}, problem{http.StatusNotFound, fmt.Sprintf("%s has no page %d.", p.City.Name, p.Page)}
	}
	p.Prev = p.Page - 1
	if len(croupons) > pageSize {
		croupons, p.Next = croupons[:pageSize], p.Page+1
	}
	for i, c := range croupons {
		p.Croupons = append(p.Croupons, crouponRow{c, offset + i + 1})
	}
	p.Newest, err = s.m.Croupon.Cache.OneNewestInCity(v.ctx, name)
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return answer{}, err
	}
	return answer{page: "city", title: "Croupons in " + p.City.Name, data: p}, nil
}

type crouponPage struct {
	Croupon  *shop.Croupon // with its merchant
	Reviews  []*shop.Review
	Reviewed int64 // times, in all
}

// croupon shows one croupon, with what was said of it.
func (s *site) croupon(v *visit) (answer, error) {
	var p crouponPage
	var err error
	if p.Croupon, err = s.m.Croupon.Cache.WithMerchant().GetBySlug(v.ctx, v.r.PathValue("slug")); err != nil {
		return answer{}, err
	}
	if p.Reviews, err = s.m.Review.Cache.ListLatest(v.ctx, p.Croupon.ID); err != nil {
		return answer{}, err
	}
	if p.Reviewed, err = s.m.Review.Cache.CountByCrouponID(v.ctx, p.Croupon.ID); err != nil {
		return answer{}, err
	}
	return answer{page: "croupon", title: p.Croupon.Title, data: p}, nil
}

// crouponURL is the address of a croupon's page.
func crouponURL(slug string) string { return "/croupon/" + url.PathEscape(slug) }

// cityURL is the address of a city's page.
func cityURL(name string) string { return "/city/" + url.PathEscape(name) }
