package assets

import _ "embed"

var (
	//go:embed samples/letter.md
	sampleLetter []byte
	//go:embed samples/customers-gbk.csv
	sampleList []byte
)

// SampleLetter is a letter to try the program with: Markdown in UTF-8 with a front matter, an invitation to a
// reading circle with the fields name and city.
func SampleLetter() []byte { return append([]byte(nil), sampleLetter...) }

// SampleList is a list of made-up customers to try an import with: CSV in GB18030 as a Chinese Excel saves it,
// with bad rows, duplicates and quoted line breaks on purpose.
func SampleList() []byte { return append([]byte(nil), sampleList...) }
