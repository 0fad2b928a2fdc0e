package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// suppressionKeys are what would suppress an address: itself, its domain, and every domain above, the nearest
// first. The domain counts in lower case.
func suppressionKeys(email string) []string {
	i := strings.LastIndexByte(email, '@')
	if i < 0 {
		return []string{email}
	}
	domain := strings.ToLower(email[i+1:])
	keys := []string{email[:i+1] + domain}
	for more := true; more && domain != ""; _, domain, more = strings.Cut(domain, ".") {
		keys = append(keys, "@"+domain)
	}
	return keys
}

// Suppressed implements campaign.Suppressor. An address is suppressed by itself, by its domain or by a domain
// above that; the nearest of them gives the reason.
func (s *Store) Suppressed(ctx context.Context, email string) (reason string, yes bool, err error) {
	if s.journal != nil { // else another process writes the list
		if may, err := s.muted.may(ctx, s.app, email); err != nil || !may {
			return "", false, err
		}
	}
	keys := suppressionKeys(email)
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = k
	}
	nearest := len(keys)
	err = s.app.each(ctx, func(rows *sql.Rows) error {
		var key, why string
		err := rows.Scan(&key, &why)
		if i := slices.Index(keys, key); i >= 0 && i < nearest {
			nearest, reason = i, why
		}
		return err
	}, `SELECT key, reason FROM suppressions WHERE key IN (`+holes(len(keys))+`)`, args...)
	return reason, nearest < len(keys), err
}

// Suppress implements campaign.Suppressor. What is suppressed already keeps its first reason. EInvalid for a key
// that is neither an address nor "@" and a domain.
func (s *Store) Suppress(ctx context.Context, sup model.Suppression) error {
	err := s.app.write(ctx, func(t *tx) error {
		_, err := suppress(t, sup)
		return err
	})
	if err == nil {
		s.muted.add(suppressionKey(sup.Key))
	}
	return err
}

// suppressionKey is a key as it is stored: a domain counts in lower case.
func suppressionKey(key string) string {
	i := max(strings.LastIndexByte(key, '@'), 0)
	return key[:i] + strings.ToLower(key[i:])
}

// suppress stores one and says whether it was new: 1, or 0.
func suppress(t *tx, sup model.Suppression) (int, error) {
	i := strings.LastIndexByte(sup.Key, '@')
	if i < 0 || i == len(sup.Key)-1 {
		return 0, model.E(model.EInvalid, nil, "field", "address", "value", sup.Key)
	}
	if sup.At.IsZero() {
		sup.At = time.Now()
	}
	return t.changes(`INSERT INTO suppressions (key, reason, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		suppressionKey(sup.Key), sup.Reason, sup.Detail, ms(sup.At))
}

// Suppressions implements app.SuppressionStore, in order of keys.
func (s *Store) Suppressions(ctx context.Context) ([]model.Suppression, error) {
	var all []model.Suppression
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var x model.Suppression
		var when int64
		err := rows.Scan(&x.ID, &x.Key, &x.Reason, &x.Detail, &when)
		x.At = at(when)
		all = append(all, x)
		return err
	}, `SELECT id, key, reason, detail, at FROM suppressions ORDER BY key`)
	return all, err
}

// RemoveSuppression implements app.SuppressionStore.
func (s *Store) RemoveSuppression(ctx context.Context, id int64) error {
	defer s.muted.forget()
	return s.app.removeRow(ctx, `DELETE FROM suppressions WHERE id = ?`, "suppression", id)
}

// suppressedOf tells which of some normalised addresses are suppressed.
func suppressedOf(v view, emails []string) (map[string]bool, error) {
	places, err := suppressedAmong(v, toJSON(emails), len(emails), func(i int) string { return emails[i] })
	found := make(map[string]bool, len(places))
	for i := range places {
		found[emails[i]] = true
	}
	return found, err
}

// suppressedAmong is suppressedOf for many: they are given as a JSON list and one by one, and it tells their places. The
// addresses themselves are asked for in one go, and each domain once.
func suppressedAmong(v view, list string, n int, email func(i int) string) (map[int]bool, error) {
	var some bool
	if err := v.row(`SELECT EXISTS (SELECT 1 FROM suppressions)`, nil, &some); err != nil || !some {
		return nil, err
	}
	found := map[int]bool{}
	err := v.each(func(rows *sql.Rows) error {
		var i int
		err := rows.Scan(&i)
		found[i] = true
		return err
	}, `SELECT j.key FROM json_each(?) j CROSS JOIN suppressions s ON s.key = j.value`, list)
	if err != nil {
		return nil, err
	}
	domains := map[string]bool{}
	for i := range n {
		domain := email(i)
		domain = domain[strings.LastIndexByte(domain, '@')+1:]
		yes, asked := domains[domain]
		if !asked {
			keys := suppressionKeys("@" + domain)[1:]
			if err := v.row(`SELECT EXISTS (SELECT 1 FROM suppressions WHERE key IN (SELECT value FROM json_each(?)))`, []any{toJSON(keys)}, &yes); err != nil {
				return nil, err
			}
			domains[domain] = yes
		}
		if yes {
			found[i] = true
		}
	}
	return found, nil
}
