package store

// person is a contact as its row is, statements by number.
type person struct {
	id              int64
	email           string
	address         string
	name            string
	fields          string
	source, consent int64
	updated         int64
}

// write stores what merge and complete change of somebody who is there.
func (p *person) write(t *tx, updated int64) error {
	_, err := t.exec(`UPDATE contacts SET name = ?, fields = ?, source = ?, consent = ?, updated = ? WHERE id = ?`,
		p.name, p.fields, p.source, p.consent, updated, p.id)
	return err
}

// merge takes over what is newer: a name, fields and a consent that are given replace others, and the consent
// brings its source along; what is not given erases nothing. It reports whether anything changed.
func (p *person) merge(name string, fields map[string]string, source, consent int64) (changed bool, err error) {
	if name != "" && name != p.name {
		p.name, changed = name, true
	}
	if consent != 0 && consent != p.consent {
		p.consent, p.source, changed = consent, source, true
	}
	if len(fields) == 0 || fieldsText(fields) == p.fields {
		return changed, nil
	}
	known, err := fieldsOf(p.fields)
	if err != nil {
		return changed, err
	}
	if mergeFields(&known, fields) {
		p.fields, changed = fieldsText(known), true
	}
	return changed, nil
}

// mergeFields puts the values of more that are not empty into fields, and reports whether that changed any.
func mergeFields(fields *map[string]string, more map[string]string) (changed bool) {
	for k, v := range more {
		if v == "" || v == (*fields)[k] {
			continue
		}
		if *fields == nil {
			*fields = make(map[string]string, len(more))
		}
		(*fields)[k] = v
		changed = true
	}
	return changed
}
