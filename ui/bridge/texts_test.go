package bridge

import (
	"testing"

	"hongyan/app"
	"hongyan/app/campaign"
	"hongyan/app/contacts"
	"hongyan/assets"
)

// TestStatesHaveTexts: every state that the use cases report by name has words in the window.
func TestStatesHaveTexts(t *testing.T) {
	var keys []string
	for _, m := range app.PracticeMoods() {
		keys = append(keys, "ui.mood."+m)
	}
	for _, r := range campaign.PauseReasons {
		keys = append(keys, "pause."+r)
	}
	for _, s := range []campaign.SenderState{campaign.SenderIdle, campaign.SenderSending, campaign.SenderConnecting, campaign.SenderWaiting,
		campaign.SenderRetrying, campaign.SenderResting, campaign.SenderStopped, campaign.SenderUnreachable} {
		keys = append(keys, "sender."+string(s))
	}
	for _, f := range append(contacts.Formats(), contacts.FormatFolder) {
		keys = append(keys, "import.format."+f)
	}
	for _, why := range []string{"user", "import", "bounce", "unsubscribe", "complaint"} {
		keys = append(keys, "ui.suppress.by."+why)
	}
	for _, lang := range assets.Languages {
		for _, k := range keys {
			if !assets.For(lang).Has(k) {
				t.Errorf("%s: no text %s", lang, k)
			}
		}
	}
}
