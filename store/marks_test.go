package store

import (
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
		b := k.slot()
		if len(b) > markSize {
			t.Fatalf("a slot of %d octets", len(b))
		}
		got, ok := readMark(append(b, make([]byte, markSize-len(b))...))
		if !ok {
			t.Fatal("it is not read")
		}
		if whole := k.out.Reply; got.out.Reply != whole {
			if len(whole) < markSize-200 || len(got.out.Reply) < 300 || whole[:len(got.out.Reply)] != got.out.Reply || !utf8.ValidString(got.out.Reply) {
				t.Fatalf("%q of %q", got.out.Reply, whole)
			}
			got.out.Reply = whole
		}
		if d := cmp.Diff(k, got, cmp.AllowUnexported(mark{})); d != "" {
			t.Fatal(d)
		}
		b = k.slot()
		b[rapid.IntRange(0, len(b)-1).Draw(t, "where")] ^= 1
		if _, ok := readMark(append(b, make([]byte, markSize-len(b))...)); ok {
			t.Fatal("a damaged slot is believed")
		}
	})
}
