package model

import (
	"errors"
	"sort"
	"strings"
)

// Code names what went wrong, for the program. The sentence for the person is the text "error.<code>" in
// the language files of package assets, filled with the Args of the Error.
type Code string

// The codes. A test in package assets checks that each has a sentence in every language.
const (
	EInternal       Code = "internal"        // args: detail
	EInvalid        Code = "invalid"         // args: field, value: a value that the user gave cannot be used
	ENotFound       Code = "not_found"       // args: kind, name
	EExists         Code = "exists"          // args: kind, name
	EUsage          Code = "usage"           // args: detail: wrong flags of hongyanctl
	ECancelled      Code = "cancelled"       // the user stopped it
	EFileMissing    Code = "file.missing"    // args: path
	EFileDirectory  Code = "file.directory"  // args: path
	EFileEmpty      Code = "file.empty"      // args: path
	EFileTooBig     Code = "file.too_big"    // args: path, size, limit
	EFileBinary     Code = "file.binary"     // args: path
	EFileConvert    Code = "file.convert"    // args: path, kind: a known format that is not read, such as .xls
	EFileEncrypted  Code = "file.encrypted"  // args: path: protected by a password
	EFileDataFolder Code = "file.data"       // args: path: Hongyan's own data
	EFileDataOpen   Code = "file.data_open"  // args: path: the data folder that is open, given as one to import from
	EFileDataOld    Code = "file.data_old"   // args: path: another data folder, of an earlier Hongyan
	EFileFormat     Code = "file.format"     // args: path, detail: damaged or of a shape that is not known
	EFileUnreadable Code = "file.unreadable" // args: path, detail
	EFileUnwritable Code = "file.unwritable" // args: path, detail
	ENoAddresses    Code = "import.nothing"  // args: path: no address was found
	EConsent        Code = "import.consent"  // source or consent was not given
	EImportChanged  Code = "import.changed"  // args: path: the file of a cut-off import is not what it was
	EImportPasted   Code = "import.pasted"   // a cut-off import of text that is not kept

	EDiskFull    Code = "db.disk_full"  // args: path
	EReadOnly    Code = "db.read_only"  // args: path
	EDiskFault   Code = "db.io"         // args: path: the system refused to read or write
	EDamaged     Code = "db.damaged"    // args: path, detail
	EGone        Code = "db.gone"       // args: path: removed or moved while it was in use
	EReplaced    Code = "db.replaced"   // args: path: another file of that name, while it was in use
	ENewer       Code = "db.newer"      // args: path: written by a newer Hongyan
	ENotOurs     Code = "db.not_ours"   // args: path: some other program's database
	ELocked      Code = "db.locked"     // args: path: another program holds it
	EInstance    Code = "data.in_use"   // args: path: another Hongyan runs on the folder
	EFolder      Code = "data.folder"   // args: path, detail: the data folder cannot be used
	ECopied      Code = "data.copied"   // args: name: the folder looks like a copy; campaigns open paused
	ENoSecret    Code = "secret.none"   // args: account: no password is stored
	EPassphrase  Code = "secret.phrase" // the passphrase of the secrets file is wrong
	ENeedPhrase  Code = "secret.need"   // no keychain here, and no passphrase was given
	ESecretStore Code = "secret.store"  // args: detail

	ELetterEmpty   Code = "letter.empty"     // args: part (subject, body)
	ELetterField   Code = "letter.field"     // args: field, place, line, known: a field that no recipient has
	ELetterSyntax  Code = "letter.syntax"    // args: place, line, detail
	ELetterFront   Code = "letter.front"     // args: line, detail: the front matter of a letter file
	ELetterTooBig  Code = "letter.too_big"   // args: size, limit
	EAttachment    Code = "letter.attach"    // args: path, detail
	EAttachBlocked Code = "letter.attachext" // args: path, ext: a type that providers refuse

	ENoAccount   Code = "campaign.no_account"   // no usable account
	ENoRecipient Code = "campaign.no_recipient" // args: list
	ECampaignRun Code = "campaign.running"      // args: name: it runs already
	ECampaignEnd Code = "campaign.finished"     // args: name: nothing is left to send
	EPlaintext   Code = "account.plaintext"     // args: host: --tls none to a host that is not loopback

	EHost        Code = "net.host"         // args: host: no such host
	ERefused     Code = "net.refused"      // args: host, port
	EHangs       Code = "net.hangs"        // args: host, port
	EUnreachable Code = "net.unreachable"  // args: host, port, detail
	ENotSMTP     Code = "net.not_smtp"     // args: host, port, detail
	ETLS         Code = "net.tls"          // args: host, port, detail
	ECertificate Code = "net.certificate"  // args: host, detail
	EConnLost    Code = "net.lost"         // args: host, detail
	EAuth        Code = "account.auth"     // args: account, reply
	EReplied     Code = "account.reply"    // args: step, reply: a refusal that is not about the login
	EPracticeRun Code = "practice.running" // args: addr

	ESignIn          Code = "signin.needed"    // args: account: it signs in at its provider, and has not yet
	ESignInEnded     Code = "signin.ended"     // args: provider, host, detail: the permission is over
	ESignInRejected  Code = "signin.rejected"  // args: account, user, reply: the mail server does not take the token
	ESignInRefused   Code = "signin.refused"   // args: provider, detail: by the user or the provider
	ESignInScope     Code = "signin.scope"     // args: provider, scope: signed in, but sending was not allowed
	ESignInState     Code = "signin.state"     // args: provider: the answer belongs to another request
	ESignInTimeout   Code = "signin.timeout"   // nobody signed in in time
	ESignInServer    Code = "signin.server"    // args: provider, host, detail: for now; trying again may help
	ESignInClient    Code = "signin.client"    // args: provider, detail: the client id is not accepted
	ESignInNoClient  Code = "signin.no_client" // args: provider, url: no client id is set
	ESignInNoDevice  Code = "signin.no_device" // args: provider: no sign-in on another device
	ESignInBrowser   Code = "signin.browser"   // the browser could not be opened
	ESignInNotOffers Code = "signin.none"      // args: host: its provider has no sign-in that Hongyan knows
)

// Error is how Hongyan says that something failed: a code for the program, arguments for the sentence, and
// the cause for the log. Wrap a cause only when it may be shown in a log: never a secret.
type Error struct {
	Code Code
	Args map[string]string
	Err  error
}

// Errorf is not offered on purpose: a sentence for the person is never built in the engine.

// E makes an Error from a code, a cause (or nil) and pairs of argument name and value.
func E(code Code, cause error, pairs ...string) *Error {
	e := &Error{Code: code, Err: cause}
	for i := 0; i+1 < len(pairs); i += 2 {
		if e.Args == nil {
			e.Args = make(map[string]string, len(pairs)/2)
		}
		e.Args[pairs[i]] = pairs[i+1]
	}
	return e
}

// Error is the technical line for the log; the person sees the text of the code instead.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	keys := make([]string, 0, len(e.Args))
	for k := range e.Args {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		b.WriteString(" " + k + "=" + e.Args[k])
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf finds the code of err: "" for nil, EInternal when no Error is in its chain.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return EInternal
}

// TextKey names the sentence for the person in the language files, and its arguments.
func (e *Error) TextKey() (key string, args map[string]string) {
	args = e.Args
	if _, said := args["detail"]; !said && e.Err != nil {
		args = make(map[string]string, len(e.Args)+1)
		for k, v := range e.Args {
			args[k] = v
		}
		args["detail"] = e.Err.Error()
	}
	return "error." + string(e.Code), args
}
