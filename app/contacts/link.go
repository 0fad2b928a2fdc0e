package contacts

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Cells may show one thing and link to an address: 写信给李四. What is shown counts where it is an address itself,
// because links stay behind when cells are changed.

const maxLinks = 65_536 // of a sheet; Excel allows 65,530

// mailLink gives the address of a mailto link, or "".
func mailLink(href string) string {
	href = strings.TrimSpace(clip(href, 2048))
	if len(href) < 8 || !strings.EqualFold(href[:7], "mailto:") {
		return ""
	}
	href, _, _ = strings.Cut(href[7:], "?")
	if u, err := url.PathUnescape(href); err == nil {
		href = u
	}
	return strings.TrimSpace(href)
}

// linked puts the address of a link behind the text that it is under.
func linked(text, address string) string {
	if address == "" || strings.TrimSpace(text) == "" || strings.Contains(fold(text), "@") {
		return text
	}
	return text + " <" + address + ">"
}

// unlinked takes off what linked put there.
func unlinked(s string) string {
	if i := strings.LastIndex(s, " <"); i > 0 && s[len(s)-1] == '>' && strings.IndexByte(s[i:], '@') > 0 {
		return s[:i]
	}
	return s
}

var reLinkFormula = regexp.MustCompile(`(?is)^\s*(?:of:|msoxl:)?=?\s*HYPERLINK\(\s*"(mailto:[^"]*)"\s*(?:[,;]\s*"([^"]*)"\s*)?\)\s*$`)

// linkFormula reads =HYPERLINK("mailto:address","text"). ok is false for any other formula.
func linkFormula(f string) (address, text string, ok bool) {
	m := reLinkFormula.FindStringSubmatch(f)
	if m == nil {
		return "", "", false
	}
	address = mailLink(m[1])
	return address, m[2], address != ""
}

// linkedBy gives the text of a cell with a formula: its value, and the address that the formula links to.
func linkedBy(formula, value string) string {
	address, text, ok := linkFormula(formula)
	if !ok {
		return value
	}
	if value == "" { // a program that does not calculate saved it
		value = text
	}
	if value == "" {
		return address
	}
	return linked(value, address)
}

// loadLinks finds the cells that link to an address. They stand behind the rows, so that a sheet that has some is gone
// through once more.
func (x *xlsx) loadLinks(s *xlsxSheet, tick func() error) (err error) {
	if s.links != nil {
		return nil
	}
	links, targets := map[cellAt]string{}, map[string]string{}
	if rels := relationsOf(s.part); x.a.has(rels) {
		err = x.a.each(rels, func(e xml.StartElement) error {
			if to := mailLink(attr(e, "Target")); to != "" && len(targets) < maxLinks {
				targets[attr(e, "Id")] = to
			}
			return nil
		})
	}
	if err != nil || len(targets) == 0 {
		s.links = links
		return err
	}
	p, err := x.a.open(s.part, maxSheet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			s.links = links
			return nil
		}
		if err == nil {
			err = tick()
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "hyperlink" && len(links) < maxLinks {
			ref := attr(e, "ref")
			row, err := strconv.Atoi(strings.TrimLeft(cellName(ref), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
			if to := targets[attr(e, "id")]; err == nil && to != "" {
				links[cellAt{row, columnOf(ref)}] = to
			}
		}
	}
}

// cellName gives the first cell of a range such as C4:C6.
func cellName(ref string) string {
	ref, _, _ = strings.Cut(strings.ToUpper(ref), ":")
	return ref
}
