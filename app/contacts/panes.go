package contacts

import "strings"

// Sheets that people make hold more than one table: one beside the other, one under the other, with the header said
// again on each page.

// span is a range of columns, [lo,hi).
type span struct{ lo, hi int }

// split finds tables with the same headers that stand side by side.
func (t *table) split() {
	if t.header == 0 {
		return
	}
	keys := make([]string, len(t.columns))
	first := -1
	for i, c := range t.columns {
		if c.Role != RoleIgnore {
			keys[i] = headerKey(c.Header)
		}
		if first < 0 && keys[i] != "" {
			first = i
		}
	}
	if first < 0 {
		return
	}
	var panes []span
	for i := first; i < len(keys); i++ {
		if keys[i] != keys[first] {
			continue
		}
		if n := len(panes); n > 0 {
			panes[n-1].hi = i
		}
		panes = append(panes, span{i, len(keys)})
	}
	if len(panes) < 2 {
		return
	}
	names := func(p span) string { return strings.Join(trimBlank(keys[p.lo:p.hi]), "\x00") }
	for _, p := range panes {
		if !t.addressed(p) || names(p) != names(panes[0]) || len(trimBlank(keys[p.lo:p.hi])) < 2 {
			return
		}
	}
	t.panes = panes
	for _, p := range panes[1:] { // a field is called the same in each
		from := panes[0].lo
		for i := p.lo; i < p.hi; i++ {
			if keys[i] == "" {
				continue
			}
			for keys[from] == "" {
				from++
			}
			t.keys[i] = t.keys[from]
			from++
		}
	}
}

// addressed says whether some of the columns hold addresses.
func (t *table) addressed(p span) bool {
	for _, c := range t.columns[p.lo:p.hi] {
		if c.Role == RoleEmail || c.Role == RoleQQ {
			return true
		}
	}
	return false
}

// heading tells a row that names the columns again, or those of another table below, which are then read by it. A row
// of lines, as in Markdown, is none that anybody misses either.
func (t *table) heading(no int, cells []string) bool {
	known, mail, rule := 0, false, true
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" {
			continue
		}
		if rule = rule && len(c) > 2 && strings.Trim(c, "-=:+_ ") == ""; rule {
			continue
		}
		switch role := headerRole(c); {
		case len(c) > 60 || strings.Contains(c, "@") || hasRun(c, 5):
			return false
		case role == RoleEmail || role == RoleQQ:
			known, mail = known+1, true
		case role != "":
			known++
		}
	}
	if rule {
		return true
	}
	if !mail {
		return false
	}
	same := t.header > 0
	for i, c := range cells {
		if c = strings.TrimSpace(c); c != "" && (i >= len(t.columns) || headerKey(c) != headerKey(t.columns[i].Header)) {
			same = false
		}
	}
	if same || known < 2 || t.fixed || len(t.panes) > 0 {
		return same
	}
	next, ok := tableOf(append([]string(nil), cells...), no, nil)
	if !ok {
		return false
	}
	*t = *next
	return true
}

// nothing tells a cell that holds no value, or says so.
func nothing(s string) bool {
	if s = strings.TrimSpace(s); s == "" {
		return true
	}
	if len(s) > 16 {
		return false
	}
	if s = strings.Trim(s, "-—–_/\\.()（）[]【】*×<> "); s == "" {
		return true
	}
	return nothings[strings.ToLower(s)]
}

var nothings = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`无 没有 暂无 空 未填 未填写 不详 未知 未提供 無 没 n/a na none null nil nan #n/a unknown keine なし`) {
		m[w] = true
	}
	return m
}()
