package store

import (
	"context"
	"database/sql"
	"time"

	"hongyan/app/model"
)

const accountColumns = `name, from_addr, from_name, provider, host, port, tls, user, auth, profile, connections, per_minute, per_hour,
	per_day, per_session, gap_min_ms, gap_max_ms, ca_file, fingerprint, legacy_tls, allow_plaintext, created, updated`

func (s *Store) accounts(ctx context.Context, where string, args ...any) ([]model.Account, error) {
	var all []model.Account
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var a model.Account
		var gapMin, gapMax, created, updated int64
		l := &a.Limits
		err := rows.Scan(&a.ID, &a.Name, &a.From, &a.FromName, &a.Provider, &a.Host, &a.Port, &a.TLS, &a.User, &a.Auth, &a.Profile,
			&l.Connections, &l.PerMinute, &l.PerHour, &l.PerDay, &l.PerSession, &gapMin, &gapMax, &a.CAFile, &a.Fingerprint,
			&a.LegacyTLS, &a.AllowPlaintext, &created, &updated)
		l.GapMin, l.GapMax = time.Duration(gapMin)*time.Millisecond, time.Duration(gapMax)*time.Millisecond
		a.CreatedAt, a.UpdatedAt = at(created), at(updated)
		all = append(all, a)
		return err
	}, `SELECT id, `+accountColumns+` FROM accounts `+where, args...)
	return all, err
}

// Accounts implements app.AccountStore, in order of names.
func (s *Store) Accounts(ctx context.Context) ([]model.Account, error) {
	return s.accounts(ctx, "ORDER BY name")
}

// Account implements app.AccountStore. ENotFound when there is no such account.
func (s *Store) Account(ctx context.Context, id int64) (*model.Account, error) {
	found, err := s.accounts(ctx, "WHERE id = ?", id)
	return one(found, err, "account", idName(id))
}

// AccountByName implements app.AccountStore. ENotFound when there is no such account.
func (s *Store) AccountByName(ctx context.Context, name string) (*model.Account, error) {
	found, err := s.accounts(ctx, "WHERE name = ?", name)
	return one(found, err, "account", name)
}

// SaveAccount implements app.AccountStore. Gaps are kept to the millisecond.
func (s *Store) SaveAccount(ctx context.Context, a *model.Account) error {
	now := time.Now()
	if a.CreatedAt.IsZero() {
		a.CreatedAt = now
	}
	if a.UpdatedAt.IsZero() {
		a.UpdatedAt = now
	}
	l := a.Limits
	args := []any{a.Name, a.From, a.FromName, a.Provider, a.Host, a.Port, string(a.TLS), a.User, string(a.Auth), string(a.Profile),
		l.Connections, l.PerMinute, l.PerHour, l.PerDay, l.PerSession, l.GapMin.Milliseconds(), l.GapMax.Milliseconds(), a.CAFile,
		a.Fingerprint, a.LegacyTLS, a.AllowPlaintext, ms(a.CreatedAt), ms(a.UpdatedAt)}
	id := a.ID
	err := s.app.write(ctx, func(t *tx) (err error) {
		if a.ID == 0 {
			id, err = t.insert(`INSERT INTO accounts (`+accountColumns+`) VALUES (`+holes(len(args))+`)`, args...)
		} else {
			var n int
			n, err = t.changes(`UPDATE accounts SET (`+accountColumns+`) = (`+holes(len(args))+`) WHERE id = ?`, append(args, a.ID)...)
			if err == nil && n == 0 {
				return model.E(model.ENotFound, nil, "kind", "account", "name", a.Name)
			}
		}
		if taken(err) {
			return model.E(model.EExists, nil, "kind", "account", "name", a.Name)
		}
		return err
	})
	if err == nil {
		a.ID = id
	}
	return err
}

// RemoveAccount implements app.AccountStore. What it sent, and its clock, stay in the journal.
func (s *Store) RemoveAccount(ctx context.Context, id int64) error {
	return s.app.removeRow(ctx, `DELETE FROM accounts WHERE id = ?`, "account", id)
}

// removeRow deletes one row, or fails with ENotFound.
func (d *database) removeRow(ctx context.Context, q, kind string, id int64) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.changes(q, id)
		if err == nil && n == 0 {
			err = model.E(model.ENotFound, nil, "kind", kind, "name", idName(id))
		}
		return err
	})
}
