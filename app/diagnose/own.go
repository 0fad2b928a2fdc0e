package diagnose

import (
	"regexp"
	"time"

	"hongyan/app/model"
)

// signInTexts are the codes of a sign-in that have sentences of their own here: those that can end a campaign's login.
var signInTexts = map[model.Code]string{
	model.ESignIn:         "diag.signin.needed",
	model.ESignInEnded:    "diag.signin.ended",
	model.ESignInRejected: "diag.signin.rejected",
	model.ESignInClient:   "diag.signin.client",
	model.ESignInServer:   "diag.signin.server",
}

// signInPause is how long the service that renews a permission is left alone when it cannot be reached.
const signInPause = time.Minute

// ExplainOwn says what it means when a session could not be opened for a reason of ours: a permission that is over, a
// password that is not stored, a file that cannot be read. TextKey is "" where the error's own sentence says it all.
func ExplainOwn(e *model.Error) Diagnosis {
	d := Diagnosis{Rule: string(e.Code), Scope: model.ScopeConfig, Code: e.Code, State: model.Queued, Account: AccountStops,
		Campaign: CampaignGoesOn, TextKey: signInTexts[e.Code], Args: e.Args}
	switch {
	case e.Code == model.ESignInServer:
		d.Scope, d.Account, d.CoolDown = model.ScopeConnection, AccountReconnects, signInPause
	case d.TextKey != "":
		d.Scope = model.ScopeAuth
	}
	return d
}

// ownText is how the text of a model.Error begins: no reply of a server and no error of the network does.
var ownText = regexp.MustCompile(`^([a-z]+\.[a-z_]+)(?:[ :]|$)`)

// Recall finds the code that the text of an error of ours begins with, as it is kept with an account that was stopped.
func Recall(text string) (code model.Code, ok bool) {
	m := ownText.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return model.Code(m[1]), true
}

// SignInDue says whether it is a sign-in that the text of an error of ours asks for.
func SignInDue(text string) bool {
	code, ok := Recall(text)
	return ok && code != model.ESignInServer && signInTexts[code] != ""
}
