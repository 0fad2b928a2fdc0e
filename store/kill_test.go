package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

// childEnv makes the test binary a child that works on a folder until it is killed: "import DIR" or "send DIR".
const childEnv = "HONGYAN_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		if err := child(what); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(what string) error {
	verb, dir, _ := strings.Cut(what, " ")
	if verb == "look" {
		return look(dir)
	}
	s, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return err
	}
	if verb == "import" {
		return importForEver(s)
	}
	return sendForEver(s)
}

const killChunk = 400

// importForEver says "chunk N" once the N-th chunk is stored.
func importForEver(s *store.Store) error {
	im, err := s.BeginImport(ctx, model.ImportSpec{ListName: "l", Source: "s", Consent: "c"})
	if err != nil {
		return err
	}
	rows := make([]model.Row, killChunk)
	for n := 1; ; n++ {
		for i := range rows {
			rows[i] = model.Row{Email: fmt.Sprintf("p%d.%d@example.com", n, i), Name: "x", Fields: map[string]string{"k": "v"}}
		}
		if err := errors.Join(im.Add(ctx, rows), im.Flush(ctx)); err != nil {
			return err
		}
		fmt.Println("chunk", n)
	}
}

// sendForEver says "intended ID" once an intent is durable, before the dot would go out, and "kept ID" once its
// result is.
func sendForEver(s *store.Store) error {
	c, err := s.CampaignByName(ctx, "c")
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		ds, err := s.Claim(ctx, c.ID, 20, when(0))
		if err != nil || len(ds) == 0 {
			return fmt.Errorf("claimed %d: %w", len(ds), err)
		}
		for _, d := range ds {
			if err := s.Intend(d.ID, 1, when(1)).Wait(); err != nil {
				return err
			}
			fmt.Println("intended", d.ID)
			s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 1, State: model.Accepted, Step: model.StepDot, At: when(2)})
		}
		if round%2 == 0 {
			continue
		}
		if err := s.Flush(ctx); err != nil {
			return err
		}
		for _, d := range ds {
			fmt.Println("kept", d.ID)
		}
	}
}

// runAndKill lets a child work until it has said n lines, kills it, and gives all that it said.
func runAndKill(t *testing.T, verb, dir string, n int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+verb+" "+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = append(said, lines.Text()); len(said) == n {
			must(t, cmd.Process.Kill()) // it is in the midst of the next
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	if len(said) < n || strings.HasPrefix(said[len(said)-1], "error") {
		t.Fatalf("the child said %q", said)
	}
	return said
}

func TestKilledWhileImporting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	addContact(t, s, 0, "before@example.com", "", nil)
	must(t, s.Close())
	for _, n := range []int{1, 2, 5} {
		said := runAndKill(t, "import", dir, n)
		s := open(t, dir, store.Options{})
		checkOrphans(t, s)
		all, err := s.Imports(ctx)
		must(t, err)
		im := all[0]
		l, err := s.ListByName(ctx, "l")
		must(t, err)
		if im.State != model.ImportOpen || l.Count%killChunk != 0 || l.Count < len(said)*killChunk || im.Rows != l.Count || im.Added != l.Count {
			t.Errorf("after %d chunks were stored: %d people on the list, import %+v", len(said), l.Count, im)
		}
		removed, err := s.UndoImport(ctx, im.ID)
		must(t, err)
		if removed != l.Count {
			t.Errorf("undone %d of %d", removed, l.Count)
		}
		same(t, "who was there before", emails(t, s, model.ContactQuery{}), []string{"before@example.com"})
		must(t, s.Close())
	}
}

func TestKilledWhileSending(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	const total = 5000
	id := campaignOf(t, s, "c", total, model.CampaignRunning)
	must(t, s.Close())
	everIntended := map[int64]bool{}
	for _, n := range []int{1, 30, 200} {
		said := runAndKill(t, "send", dir, n)
		s := open(t, dir, store.Options{})
		c, err := s.Counts(ctx, id)
		must(t, err)
		if c.Total != total || c.Queued+c.Accepted+c.Unknown != total {
			t.Errorf("counts %+v", c)
		}
		if got := stateOf(t, s, id); got != "paused crash" {
			t.Errorf("campaign is %s", got)
		}
		must(t, s.SetCampaignState(ctx, id, model.CampaignRunning, "", ""))
		states := map[int64]model.State{}
		for after := int64(0); ; {
			page, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, AfterID: after})
			must(t, err)
			for _, d := range page {
				states[d.ID], after = d.State, d.ID
			}
			if len(page) == 0 {
				break
			}
		}
		for _, line := range said {
			what, number, _ := strings.Cut(line, " ")
			d, err := strconv.ParseInt(number, 10, 64)
			must(t, err)
			ok := []model.State{model.Accepted}
			if what == "intended" {
				if everIntended[d] {
					t.Fatalf("delivery %d was sent a second time", d)
				}
				everIntended[d] = true
				ok = append(ok, model.Unknown)
			}
			if !slices.Contains(ok, states[d]) {
				t.Errorf("delivery %d was %s, and is %s after the kill", d, what, states[d])
			}
		}
		must(t, s.Close())
	}
}

// look says how a folder opens, for writing and for reading.
func look(dir string) error {
	_, err := store.Open(ctx, dir, store.Options{})
	fmt.Println("write", model.CodeOf(err))
	s, err := store.Open(ctx, dir, store.Options{ReadOnly: true})
	fmt.Println("read", model.CodeOf(err))
	if err != nil {
		return nil //nolint:nilerr // its code was told
	}
	cs, err := s.Campaigns(ctx)
	lists, lerr := s.Lists(ctx)
	fmt.Println("campaigns", len(cs), model.CodeOf(err), "lists", len(lists), model.CodeOf(lerr))
	return nil
}
