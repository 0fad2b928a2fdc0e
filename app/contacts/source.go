package contacts

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hongyan/app/model"
)

const (
	maxStream     = 1 << 30 // octets of a file that is streamed
	rejectTextMax = 200     // characters of a refused row that are kept
)

// Options say what the user knows better than the content. The zero value finds everything.
type Options struct {
	Format  string       // one of Formats; "": found by content
	Charset string       // one of Charsets, or a name of the WHATWG list; "": found by content
	Mapping map[int]Role // roles of columns, from 0; the others are found
	Sheet   string       // name of the sheet of a workbook, "": the first that has addresses; or of a list of a data folder, "": everybody
	MaxSize int64        // octets; 0: 1 GB
	// Folder opens the data folder of another Hongyan; nil: such a folder is refused.
	Folder func(path string) (Folder, error)
}

// Source is a file or a text that rows can be read from, any number of times. It is not safe for use by
// several goroutines.
type Source struct {
	r       io.ReaderAt
	size    int64
	close   func() error
	name    string
	opt     Options
	format  string
	charset string
	mixed   bool     // UTF-8 or GB18030 of which some lines may be the other
	eol     byte     // of a text
	sep     byte     // of a CSV
	table   *table   // nil for a format without columns
	book    workbook // nil for a text
	sheet   int      // of book
	keys    []string // of the columns of JSON
	folder  *folder  // nil for everything but a data folder
	stats   Stats

	fixed     bool // it is a document that was made a page of, in UTF-8
	sheetName string
	sheets    []string // that hold addresses; nil before they were looked for
}

// Stats count what the last Read met.
type Stats struct {
	Rows    int
	Rejects int
}

// Open opens a file and finds its format, charset and columns. The error is a *model.Error.
func Open(path string, opt Options) (*Source, error) {
	st, err := os.Stat(path) // before it is opened: to open a pipe waits for its writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, model.E(model.EFileMissing, err, "path", path)
	case err != nil:
		return nil, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
	case st.IsDir() && isDataFolder(path):
		return openFolder(path, opt)
	case st.IsDir():
		return nil, model.E(model.EFileDirectory, nil, "path", path)
	case !st.Mode().IsRegular():
		return nil, model.E(model.EFileFormat, nil, "path", path, "detail", "not_a_file")
	}
	f, err := os.Open(path) // #nosec G304 -- the user chose the file
	if err != nil {
		return nil, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
	}
	s, err := FromReader(path, f, st.Size(), opt)
	if err != nil {
		err = errors.Join(err, f.Close())
		if model.CodeOf(err) == model.EFileDataFolder {
			return openFolder(filepath.Dir(path), opt)
		}
		return nil, err
	}
	s.close = f.Close
	return s, nil
}

// FromText reads pasted text, which is UTF-8.
func FromText(text string, opt Options) (*Source, error) {
	opt.Charset = UTF8
	return FromReader("", strings.NewReader(text), int64(len(text)), opt)
}

// FromReader reads size octets of r; name is used in errors and for its extension.
func FromReader(name string, r io.ReaderAt, size int64, opt Options) (*Source, error) {
	s := &Source{r: r, size: size, name: name, opt: opt}
	if size == 0 {
		return nil, model.E(model.EFileEmpty, nil, "path", name)
	}
	if limit := s.limit(maxStream); size > limit {
		return nil, s.tooBig(limit)
	}
	head := make([]byte, min(size, 64<<10))
	if n, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, s.unreadable(err)
	} else {
		head = head[:n]
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(head, bomUTF8))) == 0 && size <= int64(len(head)) {
		return nil, model.E(model.EFileEmpty, nil, "path", name)
	}
	if err := s.detect(head); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) limit(of int64) int64 {
	if s.opt.MaxSize > 0 {
		return s.opt.MaxSize
	}
	return of
}

func (s *Source) tooBig(limit int64) error {
	return model.E(model.EFileTooBig, nil, "path", s.name, "size", bytesText(s.size), "limit", bytesText(limit))
}

func bytesText(n int64) string {
	if n >= 1<<30 {
		return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GB"
	}
	return strconv.FormatInt((n+1<<20-1)>>20, 10) + " MB"
}

func (s *Source) unreadable(err error) error {
	if err == nil || errors.As(err, new(*model.Error)) {
		return err
	}
	return model.E(model.EFileUnreadable, err, "path", s.name, "detail", err.Error())
}

// broken is the error of a source that does not follow its format.
func (s *Source) broken(detail string, err error) error {
	return model.E(model.EFileFormat, err, "path", s.name, "detail", detail)
}

// Name is the name the source was opened by; "" for pasted text.
func (s *Source) Name() string { return s.name }

// Format is what the source was found to be.
func (s *Source) Format() string { return s.format }

// Charset is the name of the charset in use; "utf-8" for formats that fix it.
func (s *Source) Charset() string { return s.charset }

// Stats are the counts of the last Read.
func (s *Source) Stats() Stats { return s.stats }

// Close closes the file.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// SetCharset reads the source in another charset from now on.
func (s *Source) SetCharset(name string) error {
	_, canon, err := charsetByName(name)
	if err != nil {
		return err
	}
	if s.book != nil || s.folder != nil || s.fixed {
		return nil // a document says its own
	}
	s.charset, s.opt.Charset = canon, canon
	return s.layout()
}

// Columns are the columns of a table with their roles; nil for other formats.
func (s *Source) Columns() []Column {
	if s.table == nil {
		return nil
	}
	return append([]Column(nil), s.table.columns...)
}

// Mapped reports whether the roles of columns were given, and not found by content.
func (s *Source) Mapped() bool { return len(s.opt.Mapping) > 0 }

// SetMapping sets the roles of some columns, by their place from 0. EInvalid where there is no such column or role.
func (s *Source) SetMapping(m map[int]Role) error {
	for i, role := range m {
		if s.table == nil || i < 0 || i >= len(s.table.columns) || !slices.Contains(Roles(), role) {
			return model.E(model.EInvalid, nil, "field", "mapping", "value", strconv.Itoa(i)+"="+string(role))
		}
	}
	for i, role := range m {
		s.table.columns[i].Role = role
	}
	if s.table != nil {
		s.table.index()
		s.table.fixed = s.table.fixed || len(m) > 0
	}
	s.opt.Mapping = m
	return nil
}

// Preview gives the first n rows and at most n refused rows met on the way to them.
func (s *Source) Preview(n int) (rows []model.Row, rejects []model.Reject, err error) {
	stop := errors.New("preview is full")
	kept, met := s.stats, 0
	full := func() error {
		if met++; len(rows) >= n || met > 100*n {
			return stop
		}
		return nil
	}
	err = s.Read(context.Background(), func(r model.Row) error {
		if len(rows) < n {
			rows = append(rows, r)
		}
		return full()
	}, func(r model.Reject) error {
		if len(rejects) < n {
			rejects = append(rejects, r)
		}
		return full()
	}, nil)
	s.stats = kept
	if errors.Is(err, stop) {
		err = nil
	}
	return rows, rejects, err
}

// Read streams every row and every refused row, in the order of the source. An error of emit or reject ends it
// and comes back. progress (may be nil) gets octets of the source, of a data folder people; the total is its size.
func (s *Source) Read(ctx context.Context, emit func(model.Row) error, reject func(model.Reject) error, progress func(done, total int64)) error {
	run := &run{ctx: ctx, src: s, emit: emit, reject: reject, progress: progress}
	s.stats = Stats{}
	err := s.read(run)
	s.stats = run.stats
	if err == nil && progress != nil {
		progress(s.size, s.size)
	}
	if err != nil && ctx.Err() != nil {
		return model.E(model.ECancelled, ctx.Err())
	}
	return err
}
