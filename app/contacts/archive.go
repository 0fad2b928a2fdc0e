package contacts

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"hongyan/app/model"
)

// Bounds of a workbook. What a spreadsheet program saves is far below them; a file made to fill the memory or to
// take for ever ends at one of them with EFileTooBig or EFileFormat.
const (
	maxDirectory = 4 << 20   // octets of the list of parts that are read
	maxParts     = 10_000    // parts
	maxUnpacked  = 2 << 30   // octets of all parts together, unpacked
	maxSheet     = 1 << 30   // octets of a sheet, unpacked
	maxSmallPart = 16 << 20  // octets of any other part, unpacked
	maxXMLToken  = 1 << 20   // octets of one tag or text
	maxSheetRows = 1_048_576 // rows of a sheet, as in spreadsheet programs
	maxSheetText = 1 << 30   // octets of all cells together: shared strings and repeated rows make much of little
	maxMarkup    = 200_000   // tags and texts of one row
)

// maxPacking is how many times smaller a part may be packed than it is; texts of a sheet reach 30. Small parts
// may be packed as they like.
const (
	maxPacking  = 250
	packingFrom = 64 << 20
)

// archive is a ZIP file with documents in XML. Nothing of it is ever written to a disk, and its parts are only
// looked up by name, so that a name with tricks finds nothing.
type archive struct {
	src   *Source
	parts map[string]*zip.File // by name in lower case, with slashes
	flat  bool                 // there is no ZIP: the source itself is the only part, whatever its name
}

// spender is a reader at offsets that may give so many octets.
type spender struct {
	io.ReaderAt
	left int64
}

var errSpent = errors.New("the list of its parts is too long")

func (s *spender) ReadAt(p []byte, off int64) (int, error) {
	if s.left -= int64(len(p)); s.left < 0 {
		return 0, errSpent
	}
	return s.ReaderAt.ReadAt(p, off)
}

// openArchive reads the list of parts, which is all that is trusted of it later: sizes are held again when a part
// is read.
func openArchive(s *Source) (*archive, error) {
	purse := &spender{s.r, maxDirectory}
	z, err := zip.NewReader(purse, s.size)
	if err != nil {
		if purse.left < 0 {
			err = errSpent
		}
		return nil, s.broken(err.Error(), err)
	}
	purse.left = 1 << 62
	if len(z.File) > maxParts {
		return nil, s.broken(errSpent.Error(), errSpent)
	}
	a := &archive{src: s, parts: make(map[string]*zip.File, len(z.File))}
	var sum uint64
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return nil, model.E(model.EFileEncrypted, nil, "path", s.name)
		}
		if sum += f.UncompressedSize64; sum > maxUnpacked || f.UncompressedSize64 > maxUnpacked {
			return nil, s.tooBigUnpacked(int64(min(sum, 1<<62)), maxUnpacked)
		}
		name := partName(f.Name)
		if _, twice := a.parts[name]; !twice {
			a.parts[name] = f
		}
	}
	return a, nil
}

func (s *Source) tooBigUnpacked(size, limit int64) error {
	return model.E(model.EFileTooBig, nil, "path", s.name, "size", bytesText(size), "limit", bytesText(limit))
}

func partName(s string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(s, `\`, "/"), "/"))
}

// has says whether there is a part of that name.
func (a *archive) has(name string) bool { return a.parts[partName(name)] != nil }

// relative resolves the target of a relation of the part base.
func relative(base, target string) string {
	if target = strings.ReplaceAll(target, `\`, "/"); strings.HasPrefix(target, "/") {
		return partName(path.Clean(target))
	}
	return partName(path.Join("/", path.Dir(partName(base)), target))
}

// open starts to read a part of at most limit octets; it must be closed.
func (a *archive) open(name string, limit int64) (*part, error) {
	if a.flat {
		p := &part{src: a.src, in: io.NopCloser(io.NewSectionReader(a.src.r, 0, a.src.size)), size: a.src.size, buf: make([]byte, 64<<10)}
		p.dec = xml.NewDecoder(p)
		return p, nil
	}
	f := a.parts[partName(name)]
	if f == nil {
		return nil, a.src.broken("it has no part "+clip(name, 100), nil)
	}
	size := int64(min(f.UncompressedSize64, 1<<62))
	if size > limit {
		return nil, a.src.tooBigUnpacked(size, limit)
	}
	if size > packingFrom && f.UncompressedSize64/maxPacking > f.CompressedSize64 {
		return nil, a.src.broken("it unpacks to "+bytesText(size)+", as no real workbook does", nil)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, a.src.broken(err.Error(), err)
	}
	p := &part{src: a.src, in: rc, size: size, buf: make([]byte, 64<<10)}
	p.dec = xml.NewDecoder(p)
	return p, nil
}

// small reads a whole part that is not a sheet.
func (a *archive) small(name string) ([]byte, error) {
	p, err := a.open(name, maxSmallPart)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(p.in, maxSmallPart))
	if err = errors.Join(err, p.close()); err != nil {
		return nil, a.src.broken(err.Error(), err)
	}
	return b, nil
}

// part reads the XML of one part as a stream of tags and texts. No tag or text may be longer than maxXMLToken,
// and there is no document type, so that no entity is ever expanded.
type part struct {
	src       *Source
	in        io.ReadCloser
	dec       *xml.Decoder
	size      int64 // octets unpacked, as the list of parts has it
	read      int64 // octets that left the unpacker
	buf       []byte
	pos, end  int
	tokenFrom int64
	err       error
}

var errLongToken = errors.New("a cell or tag of it is too long")

// ReadByte implements io.ByteReader, so that the decoder needs no buffer of its own.
func (p *part) ReadByte() (byte, error) {
	if p.pos == p.end {
		if p.err != nil {
			return 0, p.err
		}
		if p.read-p.tokenFrom > maxXMLToken {
			p.err = errLongToken
			return 0, p.err
		}
		for tries := 0; ; tries++ {
			n, err := p.in.Read(p.buf)
			p.pos, p.end, p.err = 0, n, err
			p.read += int64(n)
			if n > 0 {
				break
			}
			if err != nil {
				return 0, err
			}
			if tries > 100 {
				p.err = io.ErrNoProgress
				return 0, p.err
			}
		}
	}
	c := p.buf[p.pos]
	p.pos++
	return c, nil
}

// Read implements io.Reader for the decoder, which uses ReadByte.
func (p *part) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := p.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}

// next gives the next tag or text; names come without their prefix translated. The error is io.EOF, or has a code.
// What it gives is valid until the next call.
func (p *part) next() (xml.Token, error) {
	p.tokenFrom = p.read
	t, err := p.dec.RawToken()
	if err == nil {
		if d, ok := t.(xml.Directive); ok && bytes.HasPrefix(bytes.ToUpper(bytes.TrimSpace(d)), []byte("DOCTYPE")) {
			return nil, p.src.broken("it has a document type of its own", nil)
		}
		return t, nil
	}
	if p.err != nil && !errors.Is(p.err, io.EOF) {
		err = p.err // the decoder may have put its own words in the place of it
	}
	if errors.Is(err, io.EOF) {
		return nil, err
	}
	return nil, p.src.broken(err.Error(), err)
}

// skip passes over an element whose start was just read.
func (p *part) skip() error {
	for depth := 1; depth > 0; {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			return p.cutOff()
		}
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// cutOff is the error of a part that ends too early.
func (p *part) cutOff() error {
	return p.src.broken(io.ErrUnexpectedEOF.Error(), io.ErrUnexpectedEOF)
}

// share is how much of the part is read, 0 to 1.
func (p *part) share() float64 {
	if p == nil {
		return 0
	}
	return float64(p.read) / float64(max(p.size, p.read, 1))
}

// close ends the reading. The unpacker tells only now of damage that it met ahead of what was asked for.
func (p *part) close() error {
	if err := p.in.Close(); err != nil {
		return p.src.broken(err.Error(), err)
	}
	return nil
}

func attr(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// cellText gathers the text of one cell, up to maxCell octets.
type cellText struct{ b []byte }

func (c *cellText) add(s []byte) {
	c.b = append(c.b, s[:min(len(s), max(0, maxCell-len(c.b)))]...)
}

// take gives the text and starts the next.
func (c *cellText) take() string {
	if len(c.b) == 0 {
		return ""
	}
	b := c.b
	if len(b) == maxCell {
		b = b[:len(clip(string(b), maxCell-4))]
	}
	s := string(b)
	c.b = c.b[:0]
	return s
}
