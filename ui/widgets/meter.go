package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Part is a share of a Meter.
type Part struct {
	N     int
	Color fyne.ThemeColorName
}

// Meter is a bar of shares: how many went which way.
type Meter struct {
	widget.BaseWidget
	parts []Part
}

// NewMeter makes an empty bar.
func NewMeter() *Meter {
	m := &Meter{}
	m.ExtendBaseWidget(m)
	return m
}

// Set shows the parts, from left to right.
func (m *Meter) Set(parts []Part) {
	m.parts = parts
	m.Refresh()
}

// CreateRenderer is called by Fyne.
func (m *Meter) CreateRenderer() fyne.WidgetRenderer {
	return &meterRenderer{m: m, back: canvas.NewRectangle(themed(ColorQueued))}
}

type meterRenderer struct {
	m    *Meter
	back *canvas.Rectangle
	bars []*canvas.Rectangle
}

func (r *meterRenderer) Layout(size fyne.Size) {
	r.back.Resize(size)
	total := 0
	for _, p := range r.m.parts {
		total += p.N
	}
	x := float32(0)
	for i, bar := range r.bars {
		w := float32(0)
		if i < len(r.m.parts) && total > 0 {
			p := r.m.parts[i]
			w = size.Width * float32(p.N) / float32(total)
			if p.N > 0 && w < 2 {
				w = 2 // one failure in a million is still seen
			}
		}
		w = fyne.Min(w, size.Width-x)
		bar.Move(fyne.NewPos(x, 0))
		bar.Resize(fyne.NewSize(w, size.Height))
		x += w
	}
}

func (r *meterRenderer) MinSize() fyne.Size { return fyne.NewSize(60, 12) }

func (r *meterRenderer) Refresh() {
	for len(r.bars) < len(r.m.parts) {
		r.bars = append(r.bars, canvas.NewRectangle(nil))
	}
	r.back.FillColor = themed(ColorQueued)
	r.back.Refresh()
	for i, p := range r.m.parts {
		r.bars[i].FillColor = themed(p.Color)
		r.bars[i].Refresh()
	}
	r.Layout(r.m.Size())
}

func (r *meterRenderer) Objects() []fyne.CanvasObject {
	o := []fyne.CanvasObject{r.back}
	for _, b := range r.bars {
		o = append(o, b)
	}
	return o
}
func (r *meterRenderer) Destroy() {}

// Spark is a row of bars that shows how a value went.
type Spark struct {
	widget.BaseWidget
	values []float64
}

// NewSpark makes an empty sparkline.
func NewSpark() *Spark {
	s := &Spark{}
	s.ExtendBaseWidget(s)
	return s
}

// sparkValues is how many values fill the width; fewer stand at the right.
const sparkValues = 60

// Set shows the last 60 values, oldest first; the tallest fills the height.
func (s *Spark) Set(values []float64) {
	s.values = values[max(0, len(values)-sparkValues):]
	s.Refresh()
}

// CreateRenderer is called by Fyne.
func (s *Spark) CreateRenderer() fyne.WidgetRenderer { return &sparkRenderer{s: s} }

type sparkRenderer struct {
	s    *Spark
	bars []fyne.CanvasObject
}

func (r *sparkRenderer) Layout(size fyne.Size) {
	top := 0.0
	for _, v := range r.s.values {
		top = max(top, v)
	}
	n := len(r.s.values)
	for i, b := range r.bars {
		if i >= n || top == 0 {
			b.Hide()
			continue
		}
		w := size.Width / sparkValues
		h := size.Height * float32(r.s.values[i]/top)
		b.Show()
		b.Move(fyne.NewPos(size.Width-float32(n-i)*w, size.Height-h))
		b.Resize(fyne.NewSize(w, h))
	}
}

func (r *sparkRenderer) MinSize() fyne.Size { return fyne.NewSize(60, 14) }

func (r *sparkRenderer) Refresh() {
	for len(r.bars) < len(r.s.values) {
		r.bars = append(r.bars, canvas.NewRectangle(nil))
	}
	for _, b := range r.bars {
		b.(*canvas.Rectangle).FillColor = themed(ColorSpark)
		b.Refresh()
	}
	r.Layout(r.s.Size())
}
func (r *sparkRenderer) Objects() []fyne.CanvasObject { return r.bars }
func (r *sparkRenderer) Destroy()                     {}
