package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"hongyan/app/model"
)

// MergeContacts implements app.ContactStore: the others become a part of keep, and go.
//
// What keep has wins: address, name, each field that is not empty, source, and consent. What it lacks is taken from
// the first of the others, in the order given, who has it; a consent brings its source along, but that of somebody
// who is never mailed is not taken, because it may have been withdrawn. The lists, tags and imports of all of them
// become keep's. The addresses of the others are not suppressed by this, and one that is suppressed stays so.
// Campaigns keep their history; a filter that asks who got a letter counts the others' letters as keep's.
//
// EInvalid when keep is among the others, ENotFound when somebody is gone.
func (s *Store) MergeContacts(ctx context.Context, keep int64, others []int64, when time.Time) error {
	if slices.Contains(others, keep) {
		return model.E(model.EInvalid, nil, "field", "contact", "value", idName(keep))
	}
	var each []int64 // once
	for _, id := range others {
		if !slices.Contains(each, id) {
			each = append(each, id)
		}
	}
	c := change{kind: model.ChangeMerge}
	_, err := s.change(ctx, &c, each, func(t *tx, which string) (int, error) {
		if err := c.nameOne(t, []int64{keep}); err != nil {
			return 0, err
		}
		if err := c.complete(t, keep, which, when); err != nil {
			return 0, err
		}
		for _, q := range handingOver {
			if _, err := t.exec(q, c.id, keep, which); err != nil {
				return 0, err
			}
		}
		return c.removePeople(t, which)
	})
	return err
}

// handingOver are the statements that give ?2 what hangs on the people of ?3, and note it in the change ?1.
var handingOver = []string{
	`INSERT INTO change_members (change_id, contact_id, list_id, import_id, gone) SELECT ?1, ?2, list_id, min(import_id), 0 FROM list_members
		WHERE contact_id IN (SELECT value FROM json_each(?3)) AND list_id NOT IN (SELECT list_id FROM list_members WHERE contact_id = ?2) GROUP BY list_id`,
	`INSERT INTO list_members (list_id, contact_id, import_id) SELECT list_id, contact_id, import_id FROM change_members
		WHERE change_id = ?1 AND contact_id = ?2 AND gone = 0 AND ?3 <> '' ON CONFLICT DO NOTHING`,
	`INSERT INTO change_tags (change_id, contact_id, tag_id, gone) SELECT DISTINCT ?1, ?2, tag_id, 0 FROM contact_tags
		WHERE contact_id IN (SELECT value FROM json_each(?3)) AND tag_id NOT IN (SELECT tag_id FROM contact_tags WHERE contact_id = ?2)`,
	`INSERT INTO contact_tags (tag_id, contact_id) SELECT tag_id, contact_id FROM change_tags
		WHERE change_id = ?1 AND contact_id = ?2 AND gone = 0 AND ?3 <> '' ON CONFLICT DO NOTHING`,
	`INSERT INTO change_sources (change_id, contact_id, import_id, gone) SELECT DISTINCT ?1, ?2, import_id, 0 FROM contact_sources
		WHERE contact_id IN (SELECT value FROM json_each(?3)) AND import_id NOT IN (SELECT import_id FROM contact_sources WHERE contact_id = ?2)`,
	`INSERT INTO contact_sources (import_id, contact_id) SELECT import_id, contact_id FROM change_sources
		WHERE change_id = ?1 AND contact_id = ?2 AND gone = 0 AND ?3 <> '' ON CONFLICT DO NOTHING`,
	`INSERT INTO contact_merged (contact_id, into_id) SELECT value, ?2 FROM json_each(?3) WHERE ?1 > 0 ON CONFLICT DO UPDATE SET into_id = ?2`,
}

// complete gives keep the name, fields, consent and source that it lacks.
func (c *change) complete(t *tx, keep int64, which string, when time.Time) error {
	var k person
	err := t.row(`SELECT id, name, fields, source, consent FROM contacts WHERE id = ?`, []any{keep}, &k.id, &k.name, &k.fields, &k.source, &k.consent)
	if errors.Is(err, sql.ErrNoRows) {
		return model.E(model.ENotFound, nil, "kind", "contact", "name", idName(keep))
	}
	if err != nil {
		return err
	}
	var others []person
	err = t.each(func(rows *sql.Rows) error {
		var o person
		var asked int64
		err := rows.Scan(&asked, &o.id, &o.email, &o.name, &o.fields, &o.source, &o.consent)
		if err == nil && o.id == 0 {
			return model.E(model.ENotFound, nil, "kind", "contact", "name", idName(asked))
		}
		others = append(others, o)
		return err
	}, `SELECT j.value, coalesce(c.id, 0), coalesce(c.email, ''), coalesce(c.name, ''), coalesce(c.fields, ''), coalesce(c.source, 0), coalesce(c.consent, 0)
		FROM json_each(?) j LEFT JOIN contacts c ON c.id = j.value ORDER BY j.key`, which)
	if err != nil {
		return err
	}
	was := k
	if err := k.complete(t, others); err != nil || k == was {
		return err
	}
	if err := c.keepPeople(t, "edited", ms(when), toJSON([]int64{keep})); err != nil {
		return err
	}
	return k.write(t, ms(when))
}

// complete takes from others what a person lacks.
func (p *person) complete(t *tx, others []person) error {
	emails := make([]string, len(others))
	for i, o := range others {
		emails[i] = o.email
	}
	suppressed, err := suppressedOf(t, emails)
	if err != nil {
		return err
	}
	fields, err := fieldsOf(p.fields)
	if err != nil {
		return err
	}
	for _, o := range others {
		if p.name == "" {
			p.name = o.name
		}
		if p.consent == 0 && o.consent != 0 && !suppressed[o.email] {
			p.consent, p.source = o.consent, o.source
		}
		theirs, err := fieldsOf(o.fields)
		if err != nil {
			return err
		}
		for name, v := range fields {
			if v != "" {
				delete(theirs, name)
			}
		}
		if mergeFields(&fields, theirs) {
			p.fields = fieldsText(fields)
		}
	}
	for _, o := range others {
		if p.source == 0 {
			p.source = o.source
		}
	}
	return nil
}
