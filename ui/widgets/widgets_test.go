package widgets

import (
	"fmt"
	"image/color"
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// plain is Fyne's theme with the colours of the program, all of one kind.
type plain struct{ fyne.Theme }

func (p plain) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if strings.HasPrefix(string(n), "hongyan-") {
		return color.Black
	}
	return p.Theme.Color(n, v)
}

func TestMain(m *testing.M) {
	test.NewApp().Settings().SetTheme(plain{theme.DefaultTheme()})
	os.Exit(m.Run())
}

// shown puts o on a canvas of a size.
func shown(t *testing.T, o fyne.CanvasObject, w, h float32) fyne.Window {
	t.Helper()
	win := test.NewTempWindow(t, o)
	win.SetPadded(false)
	win.Resize(fyne.NewSize(w, h))
	return win
}

func newTable(t *testing.T, n int) (*Table, *[]string) {
	var events []string
	selected := map[int]bool{1: true}
	table := NewTable(Columns{{Min: 40}, {Min: 40, Weight: 1}}, func() int { return n }, func(i int) ([]CellValue, bool) {
		return []CellValue{{Text: fmt.Sprint(i)}, {Text: strings.Repeat("鸿雁", 40)}}, selected[i]
	})
	table.OnClick = func(i int, mod fyne.KeyModifier) { events = append(events, fmt.Sprint("click ", i, " ", int(mod))) }
	table.OnOpen = func(i int) { events = append(events, fmt.Sprint("open ", i)) }
	table.OnDelete = func() { events = append(events, "delete") }
	table.OnAll = func() { events = append(events, "all") }
	table.OnMenu = func(i int, _ fyne.Position) { events = append(events, fmt.Sprint("menu ", i)) }
	shown(t, table, 300, 200)
	return table, &events
}

func TestTableKeys(t *testing.T) {
	table, events := newTable(t, 100)
	for _, k := range []fyne.KeyName{fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyPageDown, fyne.KeyEnd, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyHome, fyne.KeyUp, fyne.KeyReturn, fyne.KeyDelete, fyne.KeyA} {
		table.TypedKey(&fyne.KeyEvent{Name: k})
	}
	table.TypedShortcut(&fyne.ShortcutSelectAll{})
	want := []string{"click 1 0", "click 2 0", "click 1 0", "click 21 0", "click 99 0", "click 99 0", "click 79 0", "click 0 0", "click 0 0", "open 0", "delete", "all"}
	if !slices.Equal(*events, want) {
		t.Errorf("got  %q\nwant %q", *events, want)
	}
	empty, events := newTable(t, 0)
	empty.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	empty.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(*events) != 0 {
		t.Errorf("a table without rows says %q", *events)
	}
}

// rows finds the rows that are drawn.
func rows(o fyne.CanvasObject) []*tableRow {
	var out []*tableRow
	for _, x := range test.LaidOutObjects(o) {
		if r, ok := x.(*tableRow); ok {
			out = append(out, r)
		}
	}
	return out
}

func TestTableMouse(t *testing.T) {
	table, events := newTable(t, 1000)
	rs := rows(table)
	if len(rs) == 0 || len(rs) > 20 {
		t.Fatalf("%d rows are drawn for 200 units", len(rs))
	}
	slices.SortFunc(rs, func(a, b *tableRow) int { return a.index - b.index })
	rs[2].MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary, Modifier: fyne.KeyModifierShift})
	rs[2].MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonSecondary})
	rs[2].DoubleTapped(&fyne.PointEvent{})
	rs[2].TappedSecondary(&fyne.PointEvent{})
	want := []string{fmt.Sprint("click 2 ", int(fyne.KeyModifierShift)), "open 2", "menu 2"}
	if !slices.Equal(*events, want) {
		t.Errorf("got %q, want %q", *events, want)
	}
	if rs[1].bg.Hidden || !rs[2].bg.Hidden {
		t.Error("the selected row is not the one that is marked")
	}
	if c := rs[0].cells[1]; !c.Shortened() || len(c.Text()) != 6*40 {
		t.Errorf("a text that is too long: shortened %v, whole %q", c.Shortened(), c.Text())
	}
}

func TestCell(t *testing.T) {
	c := NewCell("鸿雁传书")
	shown(t, container.NewWithoutLayout(c), 400, 50)
	full := fyne.MeasureText("鸿雁传书", theme.TextSize(), fyne.TextStyle{}).Width
	c.Resize(fyne.NewSize(full+1, 20))
	if c.Shortened() {
		t.Errorf("a text that fits became %q", c.draw.Text)
	}
	c.Resize(fyne.NewSize(full*0.7, 20))
	if !c.Shortened() || !strings.HasSuffix(c.draw.Text, "…") || !strings.HasPrefix("鸿雁传书", strings.TrimSuffix(c.draw.Text, "…")) {
		t.Errorf("shortened to %q", c.draw.Text)
	}
	if w := fyne.MeasureText(c.draw.Text, theme.TextSize(), fyne.TextStyle{}).Width; w > full*0.7 {
		t.Errorf("%q is %v wide, there is room for %v", c.draw.Text, w, full*0.7)
	}
	whole := NewWholeCell()
	whole.Set("鸿雁传书", theme.ColorNameForeground, fyne.TextStyle{})
	if w := whole.MinSize().Width; w != full {
		t.Errorf("a whole cell needs %v, its text %v", w, full)
	}
}

func TestColumns(t *testing.T) {
	cols := Columns{{Min: 50}, {Min: 50, Weight: 3}, {Min: 20, Weight: 1}}
	var objects []fyne.CanvasObject
	for range cols {
		objects = append(objects, canvas.NewRectangle(nil))
	}
	gap := theme.Padding()
	cols.Layout(objects, fyne.NewSize(320+4*gap, 20))
	for i, want := range []float32{50, 200, 70} {
		if got := objects[i].Size().Width; got != want {
			t.Errorf("column %d is %v wide, want %v", i, got, want)
		}
	}
	if got := objects[2].Position().X + 70 + gap; got != 320+4*gap {
		t.Errorf("the last column ends at %v", got)
	}
	if got := cols.MinSize(objects).Width; got != 120+4*gap {
		t.Errorf("least width %v", got)
	}
}

// TestBar: labels give way at the right first, then all; nothing overlaps, and they come back.
func TestBar(t *testing.T) {
	var actions []*Action
	var objects []fyne.CanvasObject
	for _, s := range []string{"Import", "Start", "Practice", "Settings"} {
		a := NewAction(s, theme.MailSendIcon(), func() {})
		actions, objects = append(actions, a), append(objects, a)
	}
	bar := Bar{Right: 2}
	box := container.New(bar, objects...)
	shown(t, box, 900, 40)
	labels := func(width float32) string {
		bar.Layout(objects, fyne.NewSize(width, 30))
		end, s := float32(0), ""
		for _, a := range actions {
			if a.Position().X < end {
				t.Errorf("at %v, %s begins at %v, before %v", width, a.label, a.Position().X, end)
			}
			end = a.Position().X + a.Size().Width
			s += a.Text + "|"
		}
		if end > width+theme.Padding() {
			t.Errorf("at %v the bar ends at %v", width, end)
		}
		return s
	}
	full, right := bar.widths(objects)
	if got := labels(full); got != "Import|Start|Practice|Settings|" {
		t.Errorf("with room: %s", got)
	}
	if got := labels(full - right); got != "Import|Start|||" {
		t.Errorf("with less: %s", got)
	}
	if got := labels(bar.MinSize(objects).Width); got != "||||" {
		t.Errorf("with least: %s", got)
	}
	if got := labels(full); got != "Import|Start|Practice|Settings|" {
		t.Errorf("with room again: %s", got)
	}
	actions[3].Hide()
	if least := bar.MinSize(objects).Width; least >= bar.MinSize(objects[:3]).Width+1 {
		t.Errorf("what is hidden takes room: %v", least)
	}
}

func TestActionHints(t *testing.T) {
	var said []string
	a := NewAction("Start", nil, func() {})
	a.Tip, a.OnHint = "sends", func(s string) { said = append(said, s) }
	shown(t, a, 100, 40)
	a.MouseIn(&desktop.MouseEvent{})
	a.MouseOut()
	a.Allow("no account")
	a.MouseIn(&desktop.MouseEvent{})
	a.MouseOut()
	a.Allow("")
	if want := []string{"sends", "", "no account", ""}; !slices.Equal(said, want) || a.Disabled() {
		t.Errorf("said %q, disabled %v", said, a.Disabled())
	}
}

func TestHeader(t *testing.T) {
	var asked []string
	h := NewHeader(Columns{{Min: 60}, {Min: 60}}, []HeaderColumn{{Key: "name", Title: "Name"}, {Title: "State"}}, func(k string) { asked = append(asked, k) })
	shown(t, h, 300, 40)
	h.Tap("name")
	h.Tap("")
	if !slices.Equal(asked, []string{"name"}) {
		t.Errorf("asked %q", asked)
	}
	for desc, mark := range map[bool]string{false: "Name ▲", true: "Name ▼"} {
		h.Sorted("name", desc)
		if got := h.cells[0].cell.Text() + "," + h.cells[1].cell.Text(); got != mark+",State" {
			t.Errorf("desc %v: %s", desc, got)
		}
	}
}

// TestMeter: shares are true to scale, and one in a million is still seen.
func TestMeter(t *testing.T) {
	m := NewMeter()
	shown(t, container.NewWithoutLayout(m), 400, 40)
	m.Resize(fyne.NewSize(200, 12))
	m.Set([]Part{{N: 500_000, Color: ColorAccepted}, {N: 1, Color: ColorRejected}, {N: 499_999, Color: ColorQueued}})
	bars := test.WidgetRenderer(m).Objects()[1:]
	if a, b := bars[0].Size().Width, bars[1].Size().Width; a != 100 || b != 2 {
		t.Errorf("half is %v of 200, one is %v", a, b)
	}
	end := bars[2].Position().X + bars[2].Size().Width
	if end > 200.01 {
		t.Errorf("the bar ends at %v", end)
	}
	m.Set(nil)
	for _, b := range bars {
		if b.Size().Width != 0 {
			t.Errorf("without parts a bar is %v wide", b.Size().Width)
		}
	}
}

func TestSpark(t *testing.T) {
	s := NewSpark()
	shown(t, container.NewWithoutLayout(s), 400, 40)
	s.Resize(fyne.NewSize(120, 20))
	values := make([]float64, 70)
	for i := range values {
		values[i] = float64(i)
	}
	s.Set(values)
	bars := test.WidgetRenderer(s).Objects()
	if len(bars) != sparkValues || bars[59].Size().Height != 20 || bars[59].Position().X != 118 {
		t.Errorf("%d bars, the last %v at %v", len(bars), bars[59].Size(), bars[59].Position())
	}
	s.Set([]float64{0, 0})
	for i, b := range bars {
		if b.Visible() {
			t.Errorf("bar %d of nothing is seen", i)
		}
	}
}

// TestLogFollows: the end is followed, until the user scrolls up to read, and again from the end on.
func TestLogFollows(t *testing.T) {
	n := 0
	l := NewLog(Columns{{Min: 100, Weight: 1}}, func() int { return n }, func(i int) []CellValue { return []CellValue{{Text: fmt.Sprint(i)}} })
	shown(t, l.Object, 300, 200)
	more := func(k int) {
		n += k
		l.Refresh()
	}
	last := func() int {
		at := -1
		for _, r := range rows(l.Object) {
			at = max(at, r.index)
		}
		return at
	}
	more(100)
	more(100)
	if last() != 199 {
		t.Fatalf("the last line that is seen is %d of 200", last())
	}
	l.table.ScrollToOffset(0)
	more(10)
	if last() > 30 {
		t.Errorf("the user reads the beginning, and was taken to %d", last())
	}
	l.table.ScrollToBottom()
	more(10)
	if last() != 219 {
		t.Errorf("at the end again, and line %d is the last seen of 220", last())
	}
	n = 0
	l.Refresh()
	more(3)
	if last() != 2 {
		t.Errorf("after clearing, line %d is seen", last())
	}
}

func TestPaneAndEmpty(t *testing.T) {
	tapped := false
	e := NewEmpty(theme.MailSendIcon(), "Nothing", "Do this", widget.NewButton("Do", func() { tapped = true }))
	p := NewPane("Letters", nil, e, NewAction("Add", theme.ContentAddIcon(), func() {}))
	shown(t, p, 300, 200)
	for _, o := range test.LaidOutObjects(p) {
		if b, ok := o.(*widget.Button); ok && b.Text == "Do" {
			test.Tap(b)
		}
	}
	if !tapped {
		t.Error("the button of the empty state was not reached")
	}
}
