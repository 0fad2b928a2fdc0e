package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hongyan/app/model"
)

// fileJSON is an attachment of a draft: the file stays where it is.
type fileJSON struct {
	Path string `json:"path"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
}

func (s *Store) letters(ctx context.Context, where string, args ...any) ([]model.Letter, error) {
	var all []model.Letter
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var l model.Letter
		var text string
		var updated int64
		if err := rows.Scan(&l.ID, &l.Name, &l.Subject, &l.Body, &l.Format, &l.FromName, &l.ReplyTo, &text, &updated); err != nil {
			return err
		}
		var files []fileJSON
		err := json.Unmarshal([]byte(text), &files)
		for _, f := range files {
			l.Attachments = append(l.Attachments, model.Attachment{Path: f.Path, Name: f.Name, Type: f.Type})
		}
		l.UpdatedAt = at(updated)
		all = append(all, l)
		return err
	}, `SELECT id, name, subject, body, format, from_name, reply_to, attachments, updated FROM letters `+where, args...)
	return all, err
}

// Letters implements app.LetterStore, the latest first.
func (s *Store) Letters(ctx context.Context) ([]model.Letter, error) {
	return s.letters(ctx, "ORDER BY updated DESC, id DESC")
}

// Letter implements app.LetterStore. ENotFound when there is no such letter.
func (s *Store) Letter(ctx context.Context, id int64) (*model.Letter, error) {
	found, err := s.letters(ctx, "WHERE id = ?", id)
	return one(found, err, "letter", idName(id))
}

// SaveLetter implements app.LetterStore: it inserts (ID 0, which it sets) or updates. Attachments are kept by path.
func (s *Store) SaveLetter(ctx context.Context, l *model.Letter) error {
	if l.UpdatedAt.IsZero() {
		l.UpdatedAt = time.Now()
	}
	files := make([]fileJSON, len(l.Attachments))
	for i, a := range l.Attachments {
		files[i] = fileJSON{a.Path, a.Name, a.Type}
	}
	args := []any{l.Name, l.Subject, l.Body, string(l.Format), l.FromName, l.ReplyTo, toJSON(files), ms(l.UpdatedAt)}
	id := l.ID
	err := s.app.write(ctx, func(t *tx) (err error) {
		const columns = `name, subject, body, format, from_name, reply_to, attachments, updated`
		if l.ID == 0 {
			id, err = t.insert(`INSERT INTO letters (`+columns+`) VALUES (`+holes(len(args))+`)`, args...)
			return err
		}
		n, err := t.changes(`UPDATE letters SET (`+columns+`) = (`+holes(len(args))+`) WHERE id = ?`, append(args, l.ID)...)
		if err == nil && n == 0 {
			err = model.E(model.ENotFound, nil, "kind", "letter", "name", l.Name)
		}
		return err
	})
	if err == nil {
		l.ID = id
	}
	return err
}

// RemoveLetter implements app.LetterStore.
func (s *Store) RemoveLetter(ctx context.Context, id int64) error {
	return s.app.removeRow(ctx, `DELETE FROM letters WHERE id = ?`, "letter", id)
}

// Setting implements app.SettingStore.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	var v string
	err := s.app.row(ctx, `SELECT value FROM settings WHERE key = ?`, []any{key}, &v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, coded(err, s.app.path)
}

// SetSetting implements app.SettingStore. An empty value unsets the key.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	return s.app.write(ctx, func(t *tx) error {
		if value == "" {
			_, err := t.exec(`DELETE FROM settings WHERE key = ?`, key)
			return err
		}
		_, err := t.exec(`INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)`, key, value)
		return err
	})
}
