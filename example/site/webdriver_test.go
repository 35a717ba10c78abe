package site

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
)

// browser is a session of a real browser, driven by W3C WebDriver.
type browser struct {
	t       *testing.T
	session string // the session's URL
}

// elementKey is WebDriver's word for an element.
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

// openBrowser starts a browser that knows nothing yet, and is gone when the test ends.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	driver := testserver.ChromeDriver(t)
	b := &browser{t: t, session: driver.URL + "/session"}
	var made struct{ SessionID string }
	b.call(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName":       "chrome",
		"timeouts":          map[string]any{"pageLoad": 30_000, "implicit": 0},
		"goog:loggingPrefs": map[string]any{"browser": "ALL"},
		"goog:chromeOptions": map[string]any{"binary": driver.Program, "args": []string{
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1200,900",
			"--user-data-dir=" + filepath.Join(driver.Dir, "profile"),
		}},
	}}}, &made)
	b.session += "/" + made.SessionID
	t.Cleanup(func() { b.call(http.MethodDelete, "", nil, nil) })
	return b
}

// call sends a command and reads what it answers into value, where that is not nil.
func (b *browser) call(method, path string, body, value any) {
	b.t.Helper()
	if err := b.try(method, path, body, value); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) try(method, path string, body, value any) error {
	var content io.Reader
	if method == http.MethodPost {
		if body == nil {
			body = struct{}{}
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	r, err := http.NewRequest(method, b.session+path, content)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("WebDriver: %s %s: %s", method, path, answer)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(answer, &struct{ Value any }{value})
}

// open goes to a page.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call(http.MethodPost, "/url", map[string]string{"url": url}, nil)
}

// at is the address of the page.
func (b *browser) at() (url string) {
	b.t.Helper()
	b.call(http.MethodGet, "/url", nil, &url)
	return url
}

// reload reads the page again.
func (b *browser) reload() {
	b.t.Helper()
	b.call(http.MethodPost, "/refresh", nil, nil)
}

// find returns the elements that a CSS selector selects.
func (b *browser) find(css string) (ids []string) {
	b.t.Helper()
	var found []map[string]string
	b.call(http.MethodPost, "/elements", map[string]string{"using": "css selector", "value": css}, &found)
	for _, e := range found {
		ids = append(ids, e[elementKey])
	}
	return ids
}

// only returns the only element that a CSS selector selects.
func (b *browser) only(css string) string {
	b.t.Helper()
	ids := b.find(css)
	if len(ids) != 1 {
		b.t.Fatalf("%s: there are %d of %s", b.at(), len(ids), css)
	}
	return ids[0]
}

// texts are what a visitor sees of the selected elements.
func (b *browser) texts(css string) (texts []string) {
	b.t.Helper()
	for _, id := range b.find(css) {
		var text string
		b.call(http.MethodGet, "/element/"+id+"/text", nil, &text)
		texts = append(texts, text)
	}
	return texts
}

// text is what a visitor sees of the only selected element.
func (b *browser) text(css string) (text string) {
	b.t.Helper()
	b.call(http.MethodGet, "/element/"+b.only(css)+"/text", nil, &text)
	return text
}

// click clicks on the only selected element, as a visitor would.
func (b *browser) click(css string) {
	b.t.Helper()
	b.call(http.MethodPost, "/element/"+b.only(css)+"/click", nil, nil)
}

// follow clicks on the only selected element and waits for the page it leads to, which on a busy machine
// may come after the click has been answered.
func (b *browser) follow(css string) {
	b.t.Helper()
	b.eval("document.left = true", nil)
	b.click(css)
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var there bool
		err := b.try(http.MethodPost, "/execute/sync", map[string]any{
			"script": "return !document.left && document.readyState === 'complete'", "args": []any{},
		}, &there) // an error between two pages
		if err == nil && there {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			b.t.Fatalf("%s: a click on %s leads nowhere: %v", b.at(), css, err)
		}
	}
}

// write types into the only selected element, in place of what it holds.
func (b *browser) write(css, text string) {
	b.t.Helper()
	id := b.only(css)
	b.call(http.MethodPost, "/element/"+id+"/clear", nil, nil)
	b.call(http.MethodPost, "/element/"+id+"/value", map[string]string{"text": text}, nil)
}

// eval runs a script in the page, for what no element says.
func (b *browser) eval(script string, value any) {
	b.t.Helper()
	b.call(http.MethodPost, "/execute/sync", map[string]any{"script": script, "args": []any{}}, value)
}

// console is what the browser complained of since it was asked last.
func (b *browser) console() (messages []string) {
	b.t.Helper()
	var entries []struct{ Level, Message string }
	b.call(http.MethodPost, "/se/log", map[string]string{"type": "browser"}, &entries)
	for _, e := range entries {
		messages = append(messages, e.Level+" "+e.Message)
	}
	return messages
}

// devtools sends a command past WebDriver, for what that has none for.
func (b *browser) devtools(command string, params map[string]any, value any) {
	b.t.Helper()
	b.call(http.MethodPost, "/goog/cdp/execute", map[string]any{"cmd": command, "params": params}, value)
}

// shape makes the page as wide as a device's, and dark if the visitor likes it so.
func (b *browser) shape(width, height int, phone, dark bool) {
	b.t.Helper()
	b.devtools("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}, nil)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// screenshot is the whole page as a PNG.
func (b *browser) screenshot() []byte {
	b.t.Helper()
	var shot struct{ Data string }
	b.devtools("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}
