package app_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/app"
	"hongyan/app/model"
)

func TestScheduleText(t *testing.T) {
	now := time.Date(2026, 11, 24, 14, 30, 0, 0, time.Local)
	at := func(day, h, m int) time.Time { return time.Date(2026, 11, day, h, m, 0, 0, time.Local) }
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	for name, c := range map[string]struct {
		text app.ScheduleText
		want model.Schedule
		bad  string // the field that cannot be read
	}{
		"nothing":             {},
		"later today":         {app.ScheduleText{StartAt: "16:05"}, model.Schedule{StartAt: at(24, 16, 5)}, ""},
		"tomorrow":            {app.ScheduleText{StartAt: " 09:00 "}, model.Schedule{StartAt: at(25, 9, 0)}, ""},
		"a day":               {app.ScheduleText{StartAt: "2026-11-30 08:00", StopAfter: "2026/11/30 18:00"}, model.Schedule{StartAt: at(30, 8, 0), StopAfter: at(30, 18, 0)}, ""},
		"office hours":        {app.ScheduleText{Days: "mon-fri", Hours: "9-18"}, model.Schedule{Days: week, FromHour: 9, ToHour: 18}, ""},
		"in Chinese":          {app.ScheduleText{Days: "周六、周日"}, model.Schedule{Days: []time.Weekday{time.Saturday, time.Sunday}}, ""},
		"over the weekend":    {app.ScheduleText{Days: "Sat-Mon,mon"}, model.Schedule{Days: []time.Weekday{time.Saturday, time.Sunday, time.Monday}}, ""},
		"until midnight":      {app.ScheduleText{Hours: "20:00-24:00"}, model.Schedule{FromHour: 20, ToHour: 0}, ""},
		"over midnight":       {app.ScheduleText{Hours: "22-6"}, model.Schedule{FromHour: 22, ToHour: 6}, ""},
		"a domain at a time":  {app.ScheduleText{PerDomain: "10"}, model.Schedule{DomainPerMinute: 10}, ""},
		"no time":             {app.ScheduleText{StartAt: "soon"}, model.Schedule{}, "start-at"},
		"over before it is":   {app.ScheduleText{StopAfter: "2026-11-24 14:00"}, model.Schedule{}, "stop-after"},
		"ends before it":      {app.ScheduleText{StartAt: "2026-11-30 08:00", StopAfter: "2026-11-29 08:00"}, model.Schedule{}, "stop-after"},
		"no day":              {app.ScheduleText{Days: "mon-someday"}, model.Schedule{}, "days"},
		"hours of no day":     {app.ScheduleText{Hours: "9-25"}, model.Schedule{}, "hours"},
		"no hours":            {app.ScheduleText{Hours: "9"}, model.Schedule{}, "hours"},
		"an empty hour":       {app.ScheduleText{Hours: "9-9"}, model.Schedule{}, "hours"},
		"letters not counted": {app.ScheduleText{PerDomain: "few"}, model.Schedule{}, "per-domain"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.text.Parse(now)
			if c.bad != "" {
				e, ok := err.(*model.Error) //nolint:errorlint // it is not wrapped
				if !ok || e.Code != model.EInvalid || e.Args["field"] != c.bad {
					t.Fatalf("got %v, want invalid %s", err, c.bad)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
