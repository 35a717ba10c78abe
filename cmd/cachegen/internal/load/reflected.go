package load

import (
	"fmt"
	"go/types"
	"strings"
)

// reflected writes a type as package reflect does: packages by name, those of type arguments by path.
// NewModels compares it with the type that GORM sees; what reflect writes in ways of its own (structs,
// functions) is not compared.
func reflected(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return "*" + reflected(t.Elem())
	case *types.Slice:
		return "[]" + reflected(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), reflected(t.Elem()))
	case *types.Map:
		return "map[" + reflected(t.Key()) + "]" + reflected(t.Elem())
	case *types.Basic:
		return types.Typ[t.Kind()].Name() // uint8, not byte
	case *types.Interface:
		if t.Empty() {
			return "interface {}"
		}
	case *types.Named:
		name := t.Obj().Name()
		if p := t.Obj().Pkg(); p != nil {
			name = p.Name() + "." + name
		}
		var args []string
		for arg := range t.TypeArgs().Types() {
			args = append(args, argument(arg))
		}
		if len(args) > 0 {
			name += "[" + strings.Join(args, ",") + "]"
		}
		return name
	}
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// argument is a type argument.
func argument(t types.Type) string {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok && n.TypeArgs().Len() == 0 {
		return pathOf(n)
	}
	return reflected(t)
}
