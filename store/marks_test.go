package store

import (
	"bytes"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

// TestMarkSlots writes marks and reads them back.
func TestMarkSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<53)
		k := mark{id: n.Draw(t, "id"), n: n.Draw(t, "n"), account: n.Draw(t, "account"), started: n.Draw(t, "started"), seq: n.Draw(t, "seq")}
		k.out = model.Outcome{DeliveryID: k.id, AccountID: k.account, At: at(n.Draw(t, "at")), NextAt: at(n.Draw(t, "next")), Code: rapid.IntRange(0, 999).Draw(t, "code"),
			State: model.Rejected, Step: model.StepDot, Scope: model.ScopeAccountBlock, Reason: rapid.StringN(0, 20, 40).Draw(t, "reason"),
			Enhanced: "5.1.1", Reply: rapid.StringN(0, 700, 2000).Draw(t, "reply")}
		m := &marks{bytes: make([]byte, markHeader+2*markSize)}
		slot := m.bytes[markHeader+markSize:]
		m.begin(1, mark{id: 7, n: 1})
		m.end(1, &model.Outcome{State: model.Accepted}) // of whoever had the slot before
		m.begin(1, k)
		if got, ok := readMark(slot); !ok || got.out.State != "" || got.id != k.id {
			t.Fatalf("%+v %v", got, ok)
		}
		m.end(1, &k.out)
		if !bytes.Equal(m.bytes[:markHeader+markSize], make([]byte, markHeader+markSize)) {
			t.Fatal("another slot was written")
		}
		got, ok := readMark(slot)
		if !ok {
			t.Fatal("it is not read")
		}
		if whole := k.out.Reply; got.out.Reply != whole {
			if len(whole) < 300 || len(got.out.Reply) < 280 || whole[:len(got.out.Reply)] != got.out.Reply || !utf8.ValidString(got.out.Reply) {
				t.Fatalf("%q of %q", got.out.Reply, whole)
			}
			got.out.Reply = whole
		}
		if d := cmp.Diff(k, got, cmp.AllowUnexported(mark{})); d != "" {
			t.Fatal(d)
		}
		// Whatever a kill leaves of the result, that it had begun is known.
		cut := rapid.IntRange(markBegin, markSize).Draw(t, "cut")
		clear(slot[cut:])
		slot[rapid.IntRange(markBegin, markSize-1).Draw(t, "where")] ^= 1
		if got, ok := readMark(slot); !ok || got.id != k.id || got.out.State != "" && got.out.State != k.out.State {
			t.Fatalf("%+v %v", got, ok)
		}
		slot[rapid.IntRange(0, 5).Draw(t, "where")] ^= 1
		if _, ok := readMark(slot); ok {
			t.Fatal("a damaged beginning is believed")
		}
	})
}

// TestDeadJournalLetsNobodyWait: an intent that came while the last commit was under way is answered too.
func TestDeadJournalLetsNobodyWait(t *testing.T) {
	waiting := &intent{lease: &lease{}, done: make(chan struct{})}
	j := &journal{db: &database{}, dead: true, intents: []*intent{waiting}, settled: make(chan struct{})}
	j.note(errors.New("the disk is gone"), &batch{})
	if waiting.Wait() == nil || len(j.intents) > 0 {
		t.Error("it waits for a commit that never comes")
	}
}
