package app

import (
	"context"
	"encoding/csv"
	"os"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// SuppressionImport tells how a list of those who are never to be mailed was taken in.
type SuppressionImport struct {
	Read    int // addresses and domains
	Added   int // that were not on the list
	Refused int // rows with neither
}

// ImportSuppressions puts the addresses and domains ("@example.com") of a file, or of text where path is "", on the
// list of those that are never mailed. The file may be whatever Import reads. ENoAddresses when nothing was found.
func (a *App) ImportSuppressions(ctx context.Context, path, text string) (SuppressionImport, error) {
	s := suppressionReader{now: a.now(), seen: map[string]bool{}}
	if path == "" {
		// Domains are taken out first: to a reader of addresses, "@a.com @b.com" is somebody at b.com.
		text = s.domainsIn(text)
	}
	if path != "" || strings.TrimSpace(text) != "" {
		if err := s.read(ctx, path, text); err != nil {
			return s.report, err
		}
	}
	if len(s.found) == 0 {
		return s.report, model.E(model.ENoAddresses, nil, "path", path)
	}
	s.report.Read = len(s.found)
	var err error
	s.report.Added, err = a.store.SuppressAll(ctx, s.found)
	return s.report, err
}

type suppressionReader struct {
	now    time.Time
	found  []model.Suppression
	seen   map[string]bool
	report SuppressionImport
}

func (s *suppressionReader) add(key string) {
	if !s.seen[key] {
		s.seen[key] = true
		s.found = append(s.found, model.Suppression{Key: key, Reason: "import", At: s.now})
	}
}

// domain adds a word that is a domain, as "@example.com" or as ExportSuppressions writes it.
func (s *suppressionReader) domain(word string) bool {
	word = strings.TrimLeft(strings.TrimSpace(word), `'"`)
	if !strings.HasPrefix(word, "@") {
		return false
	}
	email, _, err := contacts.Normalise("x" + strings.TrimRight(word, `"`))
	if err != nil {
		return false
	}
	s.add(strings.TrimPrefix(email, "x"))
	return true
}

func (s *suppressionReader) domainsIn(text string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;，；、", r) })
		kept := words[:0]
		for _, w := range words {
			if !s.domain(w) {
				kept = append(kept, w)
			}
		}
		rest.WriteString(strings.Join(kept, " ") + "\n")
	}
	return rest.String()
}

func (s *suppressionReader) read(ctx context.Context, path, text string) error {
	open := func() (*contacts.Source, error) { return contacts.Open(path, contacts.Options{}) }
	if path == "" {
		open = func() (*contacts.Source, error) { return contacts.FromText(text, contacts.Options{}) }
	}
	src, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	return src.Read(ctx, func(r model.Row) error {
		s.add(r.Email)
		return nil
	}, func(r model.Reject) error {
		first, _, _ := strings.Cut(r.Text, ",")
		if !s.domain(first) {
			s.report.Refused++
		}
		return nil
	}, nil)
}

// ExportSuppressions writes the list of those who are never mailed as CSV, safe to open in a spreadsheet and fit for
// ImportSuppressions. n is how many they are.
func (a *App) ExportSuppressions(ctx context.Context, path string) (n int, err error) {
	all, err := a.store.Suppressions(ctx)
	if err != nil {
		return 0, err
	}
	err = writeFile(path, func(f *os.File) error {
		if _, err := f.WriteString("\ufeff"); err != nil { // without it a spreadsheet takes UTF-8 for something else
			return err
		}
		w := csv.NewWriter(f)
		rows := [][]string{{"email", "reason", "date", "detail"}}
		for _, x := range all {
			rows = append(rows, []string{contacts.SafeCell(x.Key), x.Reason, x.At.Local().Format(time.DateOnly), contacts.SafeCell(x.Detail)})
		}
		return w.WriteAll(rows)
	})
	return len(all), err
}
