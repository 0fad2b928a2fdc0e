package contacts

import (
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/emersion/go-vcard"

	"hongyan/app/model"
)

// cardKeys are headers of fields that an address book has a place for, as headerKey has them.
var cardKeys = func() map[string]string {
	m := map[string]string{}
	for prop, words := range map[string]string{
		vcard.FieldOrganization: "公司 公司名称 单位 company organization organisation org",
		vcard.FieldTitle:        "职位 职务 职称 title position jobtitle",
		vcard.FieldNickname:     "昵称 群昵称 群名片 网名 nickname nick",
		vcard.FieldURL:          "网址 网站 主页 url website homepage",
		vcard.FieldNote:         "备注 说明 note notes remark",
	} {
		for _, w := range strings.Fields(words) {
			m[headerKey(w)] = prop
		}
	}
	return m
}()

// WriteVCard writes people as an address book of vCard 4.0 (RFC 6350), for phones and mail programs. Fields that it
// has a place for go there (phone, company, QQ number, ...), all others are lines of the note. each walks the people,
// once. It gives the number of people written.
func WriteVCard(w io.Writer, each func(func(*model.Contact) error) error) (int, error) {
	out := vcard.NewEncoder(w)
	n := 0
	err := each(func(c *model.Contact) error {
		n++
		return out.Encode(cardOf(c))
	})
	return n, err
}

func cardOf(c *model.Contact) vcard.Card {
	card := vcard.Card{}
	card.SetValue(vcard.FieldVersion, "4.0")
	name := cardValue(c.Name)
	if name == "" {
		name = c.Address // FN has to be there
	}
	card.SetValue(vcard.FieldFormattedName, name)
	card.SetValue(vcard.FieldEmail, cardValue(c.Address))
	var notes []string
	for _, k := range slices.Sorted(maps.Keys(c.Fields)) {
		v := cardValue(c.Fields[k])
		if v == "" {
			continue
		}
		prop := cardKeys[headerKey(k)]
		switch role := headerRole(k); {
		case role == RolePhone:
			card.AddValue(vcard.FieldTelephone, v)
		case role == RoleQQ && isDigits(v):
			card.AddValue(vcard.FieldIMPP, "qq:"+v)
		case prop == vcard.FieldNote:
			notes = append(notes, v)
		case prop != "" && card.Value(prop) == "":
			card.SetValue(prop, v)
		default:
			notes = append(notes, cardValue(k)+": "+v)
		}
	}
	if len(notes) > 0 {
		card.SetValue(vcard.FieldNote, strings.Join(notes, "\n"))
	}
	return card
}

// cardValue leaves no character that could end a line of the file.
func cardValue(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, strings.TrimSpace(lineEnds(s)))
}
