package contacts

// Reasons of a model.Reject: each is a key "reject.<reason>" in the language files.
const (
	ReasonNoAddress  = "no_address" // neither a mail address nor a QQ number in the row
	ReasonSyntax     = "syntax"     // something with an @ that is no address
	ReasonLocal      = "local"      // the part before the @ cannot be
	ReasonDomain     = "domain"     // the part after the @ cannot be
	ReasonTooLong    = "too_long"   // longer than RFC 5321 allows
	ReasonTypo       = "typo"       // a slip in a well-known domain; the hint is what was meant
	ReasonPhone      = "phone"      // a phone number
	ReasonDate       = "date"       // a date
	ReasonNumber     = "number"     // an order number, amount or other number that is no QQ number
	ReasonGroup      = "group"      // the number of a QQ group
	ReasonSystem     = "system"     // a number of QQ's own, such as 10000
	ReasonFormula    = "formula"    // a spreadsheet formula
	ReasonScientific = "scientific" // a number that the spreadsheet cut short, such as 4.2E+09
	ReasonEncoding   = "encoding"   // bytes that are no text in the charset of the file
	ReasonRowLength  = "row_length" // a row longer than the limit
	ReasonDamaged    = "damaged"    // an entry that does not follow the rules of its format
	ReasonSuppressed = "suppressed" // on the list of the never mailed in another data folder
)

// Reasons lists every reason a reader gives.
func Reasons() []string {
	return []string{ReasonNoAddress, ReasonSyntax, ReasonLocal, ReasonDomain, ReasonTooLong, ReasonTypo, ReasonPhone,
		ReasonDate, ReasonNumber, ReasonGroup, ReasonSystem, ReasonFormula, ReasonScientific, ReasonEncoding,
		ReasonRowLength, ReasonDamaged, ReasonSuppressed}
}
