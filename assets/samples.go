package assets

import _ "embed"

var (
	//go:embed samples/letter.md
	sampleLetterZh []byte
	//go:embed samples/letter.en.md
	sampleLetterEn []byte
	//go:embed samples/customers-gbk.csv
	sampleList []byte
)

// SampleLetter is a letter to try the program with: Markdown in UTF-8 with a front matter, an invitation to a
// reading circle with the fields name and city, in the language lang ("zh" or "en").
func SampleLetter(lang string) []byte {
	if lang == "zh" {
		return append([]byte(nil), sampleLetterZh...)
	}
	return append([]byte(nil), sampleLetterEn...)
}

// SampleList is a list of made-up customers to try an import with: CSV in GB18030 as a Chinese Excel saves it,
// with bad rows, duplicates and quoted line breaks on purpose.
func SampleList() []byte { return append([]byte(nil), sampleList...) }
