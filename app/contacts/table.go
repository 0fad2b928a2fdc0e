package contacts

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

// line is one row of a table with its place in the source.
type line struct {
	no    int
	cells []string
}

// table turns rows of cells into contacts.
type table struct {
	columns []Column
	keys    []string // names of fields, unique
	header  int      // rows up to this line are titles and headers

	emails, names, qqs, fields []int
	given, family              int    // columns of half names, or -1
	panes                      []span // tables that stand side by side; nil for one
	masked                     []string
	fixed                      bool // the user said what columns are
	hits                       []hit
	misses                     []miss
}

const (
	headerSearch = 20  // rows in which a header is looked for
	sampleRows   = 200 // rows that decide on the roles
)

// newTable finds header and roles in the first rows. ok says that some column holds addresses.
func newTable(sample []line) (t *table, ok bool) {
	if head := findHeader(sample); head >= 0 {
		return tableOf(sample[head].cells, sample[head].no, sample[head+1:])
	}
	return tableOf(nil, 0, sample)
}

// tableOf finds the roles of columns with these headers (nil: there are none), which stand in row no.
func tableOf(headers []string, no int, body []line) (t *table, ok bool) {
	width := len(headers)
	for _, l := range body {
		width = max(width, usedWidth(l.cells))
	}
	t = &table{columns: make([]Column, min(width, maxColumns)), given: -1, family: -1, header: no}
	for i := range t.columns {
		c := &t.columns[i]
		if i < len(headers) {
			c.Header = strings.TrimSpace(headers[i])
		}
		if c.Role = headerRole(c.Header); c.Role == "" {
			c.Role = RoleField
		}
	}
	t.guess(body, headers != nil)
	for i := range t.columns {
		c := &t.columns[i]
		if c.Header == "" {
			if c.Role == RoleField && blankColumn(body, i) {
				c.Role = RoleIgnore
			}
			c.Header = columnLetter(i)
		}
	}
	t.index()
	t.split()
	return t, len(t.emails)+len(t.qqs) > 0
}

func usedWidth(cells []string) int {
	for n := len(cells); n > 0; n-- {
		if strings.TrimSpace(cells[n-1]) != "" {
			return n
		}
	}
	return 0
}

// findHeader gives the index of the row that names the columns, or -1.
func findHeader(sample []line) int {
	seen := 0
	for i, l := range sample {
		if blank(l.cells) {
			continue
		}
		if seen++; seen > headerSearch {
			break
		}
		known, mail := 0, false
		for _, c := range l.cells {
			if strings.Contains(fold(c), "@") {
				return firstHeader(sample[:i])
			}
			switch headerRole(c) {
			case RoleEmail, RoleQQ:
				known, mail = known+1, true
			case RoleName, RolePhone:
				known++
			}
		}
		if mail || known > 1 {
			return i
		}
	}
	return -1
}

// firstHeader decides on the rows above the first address: the last of them is a header when it fills columns.
func firstHeader(above []line) int {
	for i := len(above) - 1; i >= 0; i-- {
		if blank(above[i].cells) {
			continue
		}
		full := 0
		for _, c := range above[i].cells {
			if c = strings.TrimSpace(c); c == "" {
				continue
			}
			if full++; len(c) > 60 || hasRun(c, 5) {
				return -1
			}
		}
		if full > 1 {
			return i
		}
		return -1
	}
	return -1
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

func blankColumn(rows []line, i int) bool {
	for _, l := range rows {
		if i < len(l.cells) && strings.TrimSpace(l.cells[i]) != "" {
			return false
		}
	}
	return true
}

// guess finds by content what the headers do not say.
func (t *table) guess(body []line, headed bool) {
	has := map[Role]bool{}
	for _, c := range t.columns {
		has[c.Role] = true
	}
	for i := range t.columns {
		c := &t.columns[i]
		if c.Role != RoleField {
			continue
		}
		n, mail, qq, phone, name := 0, 0, 0, 0, 0
		for _, l := range body {
			if i >= len(l.cells) || strings.TrimSpace(l.cells[i]) == "" {
				continue
			}
			n++
			s := strings.TrimSpace(fold(l.cells[i]))
			switch {
			case strings.Contains(s, "@"):
				if hits, _ := scanCell(s, false); len(hits) > 0 {
					mail++
				}
			case numberShape(s) == ReasonPhone:
				phone++
			case isDigits(s) && numberShape(s) == "":
				qq++
			case plausibleName(s):
				name++
			}
		}
		switch {
		case n == 0:
		case mail*2 >= n && !has[RoleEmail]:
			c.Role = RoleEmail
		case headed:
			// A header that is not known names a field, whatever numbers are below it.
		case qq*10 >= n*9 && !has[RoleEmail] && !has[RoleQQ]:
			c.Role = RoleQQ
		case phone*2 >= n:
			c.Role = RolePhone
		case name*10 >= n*7 && !has[RoleName]:
			c.Role, has[RoleName] = RoleName, true
		}
	}
	if has[RoleName] {
		return
	}
	for i := range t.columns {
		if secondNames[headerKey(t.columns[i].Header)] {
			t.columns[i].Role = RoleName
			return
		}
	}
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// index sorts the columns by role.
func (t *table) index() {
	t.emails, t.names, t.qqs, t.fields = nil, nil, nil, nil
	t.given, t.family = -1, -1
	t.keys = make([]string, len(t.columns))
	used := map[string]bool{}
	for i, c := range t.columns {
		key := clip(strings.Join(strings.Fields(unquoteCell(c.Header)), " "), 120)
		for n := 2; used[key]; n++ {
			key = c.Header + " " + strconv.Itoa(n)
		}
		used[key], t.keys[i] = true, key
		switch c.Role {
		case RoleEmail:
			t.emails = append(t.emails, i)
		case RoleName:
			switch part := nameParts[headerKey(c.Header)]; {
			case part == partGiven && t.given < 0:
				t.given = i
			case part == partFamily && t.family < 0:
				t.family = i
			default:
				t.names = append(t.names, i)
			}
		case RoleQQ:
			t.qqs = append(t.qqs, i)
			t.fields = append(t.fields, i)
		case RoleField, RolePhone:
			t.fields = append(t.fields, i)
		}
	}
	if len(t.names) == 1 && (t.given < 0) != (t.family < 0) { // Nom beside Prénom, Nombre beside Apellidos
		switch headerKey(t.columns[t.names[0]].Header) {
		case "nom":
			t.family, t.names = t.names[0], nil
		case "nombre":
			t.given, t.names = t.names[0], nil
		}
	}
}

// row reads one row: a person, or one in each table that stand side by side.
func (t *table) row(r *run, no int, cells []string) error {
	if no <= t.header || blank(cells) {
		return nil
	}
	if len(t.panes) == 0 {
		return t.person(r, no, cells)
	}
	for _, p := range t.panes {
		if p.lo >= len(cells) {
			break
		}
		t.masked = append(t.masked[:0], cells[:min(p.hi, len(cells))]...)
		clear(t.masked[:p.lo])
		if blank(t.masked) {
			continue
		}
		if err := t.person(r, no, t.masked); err != nil {
			return err
		}
	}
	return nil
}

// person reads the mail addresses of a row, or its QQ number where no address is good. Every other cell is a field.
func (t *table) person(r *run, no int, cells []string) error {
	t.hits, t.misses = t.hits[:0], t.misses[:0]
	for _, i := range t.emails {
		if i >= len(cells) || nothing(cells[i]) {
			continue
		}
		if email, address, ok := fastAddress(cells[i]); ok {
			t.hits = append(t.hits, hit{email: email, address: address})
			continue
		}
		hits, misses := scanCell(cells[i], true)
		t.hits, t.misses = append(t.hits, hits...), append(t.misses, misses...)
	}
	spoilt := ""
	if len(t.hits) == 0 {
		for _, i := range t.qqs {
			if i >= len(cells) || nothing(cells[i]) {
				continue
			}
			email, reason := columnQQ(cells[i])
			if reason == "" {
				t.hits = append(t.hits, hit{email: email, address: email})
				break
			}
			if h, _ := scanCell(cells[i], false); len(h) > 0 {
				t.hits = append(t.hits, h...)
				break
			}
			if reason == ReasonNoAddress {
				reason = ReasonNumber
			}
			t.misses = append(t.misses, miss{text: cells[i], reason: reason})
		}
		if len(t.hits) > 0 {
			// The address that was no good stays with the contact, as a field.
			for _, i := range t.emails {
				if i < len(cells) && !nothing(cells[i]) {
					spoilt = t.keys[i]
				}
			}
			t.misses = t.misses[:0]
		}
	}
	if len(t.hits) == 0 && t.heading(no, cells) {
		return nil
	}
	for _, m := range t.misses {
		if err := r.refuse(no, m.text, m.reason, m.hint); err != nil {
			return err
		}
	}
	if len(t.hits) == 0 {
		if len(t.misses) == 0 {
			return r.refuse(no, strings.Join(trimBlank(cells), ", "), ReasonNoAddress, "")
		}
		return nil
	}
	fields := t.fieldsOf(cells, spoilt)
	name := t.nameOf(cells)
	for k, h := range t.hits {
		if k > 0 && seenBefore(t.hits[:k], h.email) {
			continue
		}
		row := model.Row{Line: no, Email: h.email, Address: h.address, Name: name, Fields: fields, NoConsent: r.src.NoConsent()}
		if row.Name == "" {
			row.Name = h.name
		}
		if err := r.row(row); err != nil {
			return err
		}
	}
	return nil
}

func seenBefore(hits []hit, email string) bool {
	for _, h := range hits {
		if h.email == email {
			return true
		}
	}
	return false
}

func trimBlank(cells []string) []string {
	out := make([]string, 0, len(cells))
	for _, c := range cells {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

// fieldsOf collects the cells that are fields; spoilt names an address column whose cell is kept too.
func (t *table) fieldsOf(cells []string, spoilt string) map[string]string {
	var fields map[string]string
	for _, i := range t.fields {
		if i >= len(cells) {
			break
		}
		if v := fieldValue(cells[i]); v != "" {
			if fields == nil {
				fields = make(map[string]string, len(t.fields))
			}
			fields[t.keys[i]] = v
		}
	}
	if spoilt != "" {
		for _, i := range t.emails {
			if i < len(cells) && t.keys[i] == spoilt {
				if fields == nil {
					fields = map[string]string{}
				}
				fields[spoilt] = fieldValue(cells[i])
			}
		}
	}
	return fields
}

const maxField = 4096 // octets of a field's value

func fieldValue(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if s[0] == '=' || s[0] == '\'' {
		s = unquoteCell(s)
	}
	return clip(lineEnds(s), maxField)
}

// nameOf joins what the name columns hold.
func (t *table) nameOf(cells []string) string {
	for _, i := range t.names {
		if i < len(cells) {
			if s := strings.TrimSpace(cells[i]); s != "" {
				return clip(strings.Join(strings.Fields(unlinked(fieldValue(s))), " "), maxField)
			}
		}
	}
	var given, family string
	if t.given >= 0 && t.given < len(cells) {
		given = strings.TrimSpace(cells[t.given])
	}
	if t.family >= 0 && t.family < len(cells) {
		family = strings.TrimSpace(cells[t.family])
	}
	return joinName(given, family)
}

// joinName writes a name as its language does: 张三, Jane Doe.
func joinName(given, family string) string {
	if given == "" || family == "" {
		return given + family
	}
	if r, _ := utf8.DecodeRuneInString(family); isCJK(r) {
		return family + given
	}
	return given + " " + family
}
