package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/xuri/excelize/v2"

	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

const (
	maxList = 600 // ms that an order or a search of the list may take
	maxPage = 2   // ms for a page of it
	page    = 64  // rows
)

// measureLists orders and searches the people that are there.
func (b *bench) measureLists(ctx context.Context, dir string) (err error) {
	st, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	lists, err := st.Lists(ctx)
	if err != nil {
		return err
	}
	list := lists[0].ID
	everybody, err := st.ContactIDs(ctx, model.ContactQuery{})
	if err != nil {
		return err
	}
	if _, err := st.TagContacts(ctx, everybody[:len(everybody)/2], "half"); err != nil {
		return err
	}
	tag, err := st.TagByName(ctx, "half")
	if err != nil {
		return err
	}
	if err := st.Suppress(ctx, model.Suppression{Key: "@gmail.com", Reason: "user"}); err != nil {
		return err
	}
	var ids []int64
	for _, c := range []struct {
		name string
		q    model.ContactQuery
	}{
		{"everybody, as they came", model.ContactQuery{}},
		{"everybody, by address", model.ContactQuery{Sort: model.SortEmail}},
		{"everybody, by name, backwards", model.ContactQuery{Sort: model.SortName, Desc: true}},
		{"a list, by address", model.ContactQuery{ListID: list, Sort: model.SortEmail}},
		{"a list, by name", model.ContactQuery{ListID: list, Sort: model.SortName}},
		{"a list, by source", model.ContactQuery{ListID: list, Sort: model.SortSource}},
		{"search that finds many (a city)", model.ContactQuery{Search: "成都", Sort: model.SortEmail}},
		{"search that finds some", model.ContactQuery{ListID: list, Search: "9999", Sort: model.SortName}},
		{"search that finds nobody", model.ContactQuery{Search: "nobody-has-this"}},
		{"filter: address ends with @qq.com", only(model.Condition{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"})},
		{"filter: a field is 成都", only(model.Condition{What: model.WhereField, Field: "城市", Op: model.OpIs, Text: "成都"})},
		{"filter: a field is more than 2", only(model.Condition{What: model.WhereField, Field: "等级", Op: model.OpMore, Text: "2"})},
		{"filter: a field is empty", only(model.Condition{What: model.WhereField, Field: "城市", Op: model.OpEmpty})},
		{"filter: source", only(model.Condition{What: model.WhereSource, Op: model.OpIs, Text: "展会"})},
		{"filter: added since a day", only(model.Condition{What: model.WhereAdded, Op: model.OpAfter, Text: "2020-01-01"})},
		{"filter: has a tag", only(model.Condition{What: model.WhereTag, ID: tag.ID})},
		{"filter: not on the list", only(model.Condition{What: model.WhereList, Not: true, ID: list})},
		{"filter: consent is recorded", only(model.Condition{What: model.WhereConsent})},
		{"filter: never mailed, by domain", only(model.Condition{What: model.WhereSuppressed})},
		{"filter: a field, a tag and not never mailed, by address", model.ContactQuery{ListID: list, Sort: model.SortEmail, Filter: model.Filter{Conditions: []model.Condition{
			{What: model.WhereField, Field: "城市", Op: model.OpIs, Text: "成都"}, {What: model.WhereTag, ID: tag.ID}, {What: model.WhereSuppressed, Not: true}}}}},
	} {
		ms, err := medianMS(5, func() (err error) {
			got, err := st.ContactIDs(ctx, c.q)
			if c.q.Search == "" && c.q.Filter.Empty() {
				ids = got
			}
			return err
		})
		if err != nil {
			return err
		}
		b.lists = append(b.lists, figure{c.name, ms, maxList})
	}
	at := 0
	ms, err := medianMS(200, func() error {
		at = (at + 7919*page) % max(1, len(ids)-page)
		_, err := st.Contacts(ctx, ids[at:min(at+page, len(ids))])
		return err
	})
	b.lists = append(b.lists, figure{fmt.Sprintf("a page of %d rows, anywhere", page), ms, maxPage})
	return err
}

// only is a query of one condition.
func only(c model.Condition) model.ContactQuery {
	return model.ContactQuery{Filter: model.Filter{Conditions: []model.Condition{c}}}
}

func medianMS(n int, f func() error) (float64, error) {
	var all []float64
	for range n {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		all = append(all, float64(time.Since(began).Microseconds())/1000)
	}
	return median(all), nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// measureWorkbook reads a workbook with the reader of contacts, and with nothing but the rows of excelize, in turns.
func (b *bench) measureWorkbook(ctx context.Context) error {
	path := filepath.Join(b.dir, "list.xlsx")
	if err := writeWorkbook(path, b.workbook); err != nil {
		return err
	}
	for range b.rounds {
		began := time.Now()
		src, err := contacts.Open(path, contacts.Options{})
		if err != nil {
			return err
		}
		n := 0
		err = src.Read(ctx, func(model.Row) error { n++; return nil }, func(r model.Reject) error { return fmt.Errorf("refused %+v", r) }, nil)
		if err = errors.Join(err, src.Close()); err != nil {
			return err
		}
		b.sheet = append(b.sheet, time.Since(began).Seconds())
		began = time.Now()
		m, err := bareRows(path)
		if err != nil {
			return err
		}
		b.excelize = append(b.excelize, time.Since(began).Seconds())
		if n != b.workbook || m != n+1 {
			return fmt.Errorf("read %d rows, and %d", n, m)
		}
	}
	return nil
}

func writeWorkbook(path string, n int) (err error) {
	f, err := os.Create(path) //#nosec G304 -- a folder of this program's own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = contacts.WriteXLSX(f, func(row func(*model.Contact) error) error {
		for k := range n {
			c := model.Contact{Address: fmt.Sprintf("u%d@%s", k, hosts[k%len(hosts)]), Name: fmt.Sprintf("用户 %d", k),
				Fields: map[string]string{"城市": cities[k%len(cities)], "等级": fmt.Sprint(k % 6)}, Source: "展会", Consent: "书面"}
			if err := row(&c); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

func bareRows(path string) (n int, err error) {
	f, err := excelize.OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, err := f.Rows("Sheet1")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Error()
}
