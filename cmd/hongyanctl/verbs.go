package main

import (
	"context"
	"slices"
	"strings"

	"hongyan/app"
)

// verb is a subcommand: its words, what it takes, and what it does. make declares the verb's flags on c.flags
// and returns what runs once they are parsed.
type verb struct {
	words    []string
	synopsis string
	make     func(c *cli) func(ctx context.Context) (int, error)
}

// verbs lists every subcommand, longer ones first where one begins another.
func verbs() []verb {
	return []verb{
		{[]string{"account", "add"}, "account add --name N --from ADDR [--provider qq|163|...] [--host H --port P --tls implicit|starttls|none --user U --password-stdin]\n" +
			"      [--profile consumer|relay] [--connections N --per-minute N --per-hour N --per-day N --per-session N] [--ca FILE] [--auth password|oauth2|none] [--allow-plaintext]", accountAdd},
		{[]string{"account", "edit"}, "account edit NAME [flags of account add] [--password|--password-stdin]   (changes what is given; an account that was stopped sends again)", accountEdit},
		{[]string{"account", "list"}, "account list", all((*app.App).Accounts, "ctl.account.none", showAccount)},
		{[]string{"account", "test"}, "account test NAME", accountTest},
		{[]string{"account", "signin"}, "account signin NAME [--client-id ID [--client-secret-stdin]] [--browser]", accountSignIn},
		{[]string{"account", "remove"}, "account remove NAME", accountRemove},
		{[]string{"import"}, "import FILE|FOLDER... --list L --source TEXT --consent TEXT [--charset NAME] [--sheet NAME] [--dry-run] [--rejects FILE]\n" +
			"      (FOLDER is the data folder of another Hongyan; --sheet chooses a sheet of a workbook, or a list of a folder)\n" +
			"      import --resume|--keep|--undo [FILE|#N]   (an import that was cut off)", importFile},
		{[]string{"list", "show"}, "list show [L] [--segment S] [--where CONDITION]... [--any] [--limit N]", listShow},
		{[]string{"list"}, "list", all((*app.App).Lists, "ctl.list.none", showList)},
		{[]string{"export"}, "export [L] [--segment S] [--where CONDITION]... [--any] --to FILE.csv|FILE.xlsx|FILE.vcf", exportList},
		{[]string{"consent"}, "consent TEXT [--list L] [--segment S] [--where CONDITION]... [--any]   (records how people agreed of whom that is not known)", recordConsent},
		{[]string{"tag", "list"}, "tag list", all((*app.App).Tags, "ctl.tag.none", showTag)},
		{[]string{"tag", "add"}, "tag add T [--list L] [--segment S] [--where CONDITION]... [--any]", tagAdd},
		{[]string{"tag", "remove"}, "tag remove T [--list L] [--segment S] [--where CONDITION]... [--any]   (from everybody, and the tag itself, where nobody is chosen)", tagRemove},
		{[]string{"segment", "list"}, "segment list", all((*app.App).Segments, "ctl.segment.none", showSegment)},
		{[]string{"segment", "save"}, "segment save S --where CONDITION... [--any]   (such as --where \"field city is Rome\" --where \"not sent spring\")", segmentSave},
		{[]string{"segment", "show"}, "segment show S", segmentShow},
		{[]string{"segment", "remove"}, "segment remove S", segmentRemove},
		{[]string{"merge"}, "merge ADDRESS OTHER...   (the others become a part of the first)", merge},
		{[]string{"undo"}, "undo [--list]   (takes back the latest change to people by hand)", undo},
		{[]string{"campaign", "create"}, "campaign create --name C [--list L] [--segment S] --letter FILE --account A[,B...] [--subject T] [--attach FILE]...\n" +
			"      [--start-at T --stop-after T --days mon-fri --hours 9-18 --per-domain N] [--advertising]", campaignCreate},
		{[]string{"campaign", "run"}, "campaign run C [--resume] [--max-wait 15m] [--quiet]", campaignRun},
		{[]string{"campaign", "pause"}, "campaign pause C", campaignPause},
		{[]string{"campaign", "stop"}, "campaign stop C", campaignStop},
		{[]string{"campaign", "status"}, "campaign status C [--json]", campaignStatus},
		{[]string{"campaign", "retry"}, "campaign retry C --failed|--unknown", campaignRetry},
		{[]string{"send"}, "send ... (campaign create and run in one; flags of both)", send},
		{[]string{"report"}, "report C --to FILE.csv|FILE.html", report},
		{[]string{"support"}, "support --to FILE.zip [--no-addresses]", supportFile},
		{[]string{"practice"}, "practice [--addr 127.0.0.1:2525] [--mood normal|slow|refuse-tenth|drop-line|wait|full]", practice},
		{[]string{"version"}, "version", showVersion},
	}
}

// group are the verbs that begin with a word.
func group(word string) (of []verb) {
	for _, v := range verbs() {
		if v.words[0] == word {
			of = append(of, v)
		}
	}
	return of
}

// seconds lists verbs of a group.
func seconds(of []verb) string {
	all := make([]string, len(of))
	for i, v := range of {
		all[i] = strings.Join(v.words, " ")
	}
	return strings.Join(all, ", ")
}

// find takes the verb's words off the front of args. The flags that every verb has may stand before and between
// them.
func find(args []string) (v verb, rest []string, ok bool) {
	words, flags := split(args)
	for _, v := range verbs() {
		if len(words) >= len(v.words) && slices.Equal(words[:len(v.words)], v.words) {
			return v, append(flags, words[len(v.words):]...), true
		}
	}
	return verb{}, nil, false
}

// split takes the common flags, with their values, off the front of args, up to the second word: a verb has no
// more than two.
func split(args []string) (words, flags []string) {
	for i := 0; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		switch {
		case len(words) == 2 || args[i] == "--":
			return append(words, args[i:]...), flags
		case name == args[i]:
			words = append(words, args[i])
		case name == "json" || strings.Contains(name, "="):
			flags = append(flags, args[i])
		case (name == "data" || name == "lang") && i+1 < len(args):
			flags = append(flags, args[i], args[i+1])
			i++
		default: // a flag of the verb: what follows may be its value
			return append(words, args[i:]...), flags
		}
	}
	return words, flags
}
