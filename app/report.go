package app

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/csv"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// Words turn a key and pairs of argument name and value into a sentence; the language files do.
type Words interface {
	T(key string, pairs ...string) string
}

// Report writes how a campaign went: as CSV, a line a recipient, or as one HTML page that needs nothing else.
// The ending of path decides; EInvalid for any other than .csv, .html and .htm.
func (a *App) Report(ctx context.Context, campaignID int64, path string, w Words) error {
	camp, err := a.store.Campaign(ctx, campaignID)
	if err != nil {
		return err
	}
	accounts, err := a.accountNames(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return writeFile(path, func(f *os.File) error { return a.reportCSV(ctx, f, camp, accounts, w) })
	case ".html", ".htm":
		return writeFile(path, func(f *os.File) error { return a.reportHTML(ctx, f, camp, accounts, w) })
	}
	return invalid("report", path)
}

func (a *App) accountNames(ctx context.Context) (map[int64]string, error) {
	all, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(all))
	for _, acct := range all {
		names[acct.ID] = acct.Name
	}
	return names, nil
}

// eachDelivery walks a campaign in order of its ids, a page at a time.
func (a *App) eachDelivery(ctx context.Context, campaignID int64, f func(*model.Delivery) error) error {
	q := model.DeliveryQuery{CampaignID: campaignID, Limit: 1000}
	for {
		page, err := a.store.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := f(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		q.AfterID = page[len(page)-1].ID
	}
}

const reportTime = "2006-01-02 15:04:05"

// reportCSV begins with a byte order mark: without it Excel reads Chinese as the system's old charset.
func (a *App) reportCSV(ctx context.Context, f io.Writer, camp *model.Campaign, accounts map[int64]string, w Words) error {
	if _, err := io.WriteString(f, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(f)
	var head []string
	for _, k := range []string{"address", "name", "state", "why", "time", "attempts", "account", "step", "code", "reply"} {
		head = append(head, w.T("report."+k))
	}
	if err := out.Write(head); err != nil {
		return err
	}
	err := a.eachDelivery(ctx, camp.ID, func(d *model.Delivery) error {
		row := []string{d.Address, d.Name, w.T("report.state." + string(d.State)), a.why(d, w), stamp(d.UpdatedAt),
			strconv.Itoa(d.Attempts), accounts[d.AccountID], string(d.Step), strings.TrimSpace(codeText(d.Code) + " " + d.Enhanced), d.Reply}
		for i := range row {
			row[i] = contacts.SafeCell(row[i])
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// why is one plain sentence about a recipient who did not get the letter, or "".
func (a *App) why(d *model.Delivery, w Words) string {
	switch d.State {
	case model.Skipped:
		return w.T("report.skipped." + d.Reason)
	case model.Rejected, model.Deferred, model.Unknown:
		dg := a.Explain(*d)
		pairs := make([]string, 0, 2*len(dg.Args))
		for k, v := range dg.Args {
			pairs = append(pairs, k, v)
		}
		return w.T(dg.TextKey+".what", pairs...)
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(reportTime)
}

func codeText(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Parse(reportPage))

// reportData is what the page shows. It lists at most maxReported recipients who did not get the letter: a page
// of a million rows opens in no browser, the CSV has them all.
type reportData struct {
	Lang, Title       string
	W                 func(string) string
	Campaign          *model.Campaign
	Subject           string
	Started, Finished string
	Bars              []reportBar
	Hours             []reportBar
	Reasons           []reportBar
	Rows              []reportRow
	More              int
}

type reportBar struct {
	Label, Class string
	N            int
	Percent      float64
}

type reportRow struct{ Address, Name, State, Why, Reply, Time string }

const maxReported = 5000

func (a *App) reportHTML(ctx context.Context, f io.Writer, camp *model.Campaign, _ map[int64]string, w Words) error {
	n, err := a.store.Counts(ctx, camp.ID)
	if err != nil {
		return err
	}
	data := reportData{Lang: w.T("report.lang"), Title: camp.Name, W: func(k string) string { return w.T("report." + k) }, Campaign: camp,
		Subject: camp.Letter.Subject, Started: stamp(camp.StartedAt), Finished: stamp(camp.FinishedAt)}
	for _, s := range []struct {
		state model.State
		n     int
	}{{model.Accepted, n.Accepted}, {model.Rejected, n.Rejected}, {model.Deferred, n.Deferred}, {model.Unknown, n.Unknown},
		{model.Queued, n.Queued + n.Attempting}, {model.Skipped, n.Skipped}} {
		data.Bars = append(data.Bars, bar(w.T("report.state."+string(s.state)), string(s.state), s.n, n.Total))
	}
	hours, reasons := newTally(), newTally()
	err = a.eachDelivery(ctx, camp.ID, func(d *model.Delivery) error {
		switch d.State {
		case model.Accepted:
			hours.add(d.UpdatedAt.Local().Format("01-02 15:00"))
			return nil
		case model.Queued, model.Attempting:
			return nil
		}
		why := a.why(d, w)
		reasons.add(why)
		if len(data.Rows) == maxReported {
			data.More++
			return nil
		}
		data.Rows = append(data.Rows, reportRow{d.Address, d.Name, w.T("report.state." + string(d.State)), why,
			strings.TrimSpace(codeText(d.Code) + " " + d.Reply), stamp(d.UpdatedAt)})
		return nil
	})
	if err != nil {
		return err
	}
	data.Hours, data.Reasons = hours.bars(false), reasons.bars(true)
	out := bufio.NewWriter(f)
	if err := reportTemplate.Execute(out, data); err != nil {
		return err
	}
	return out.Flush()
}

func bar(label, class string, n, of int) reportBar {
	b := reportBar{Label: label, Class: class, N: n}
	if of > 0 {
		b.Percent = 100 * float64(n) / float64(of)
	}
	return b
}
