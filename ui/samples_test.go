package ui

import (
	"fmt"
	"time"

	"hongyan/app/model"
)

// csvPreview is what the head of a spreadsheet in GB18030 looks like.
func csvPreview() ImportPreview {
	p := ImportPreview{Format: "csv", Charset: "gb18030", Formats: []string{"csv", "text"}, Charsets: []string{"utf-8", "gb18030", "utf-16le"},
		Header: []string{"姓名", "邮箱", "城市", "年级"}, Guess: []string{"name", "email", "城市", "年级"}}
	for i, n := range []string{"张伟", "王芳", "李娜", "赵敏", "刘洋", "陈静", "杨强", "黄磊"} {
		addr := fmt.Sprintf("customer%02d@example.com", i)
		p.Sample = append(p.Sample, model.Row{Line: i + 2, Email: addr, Address: addr, Name: n, Fields: map[string]string{"城市": "上海", "年级": fmt.Sprint(i%6 + 1)}})
	}
	return p
}

// practiceLetters are letters that the practice server holds.
func practiceLetters(f *fake) []PracticeLetter {
	var ls []PracticeLetter
	for i, c := range f.contacts[:24] {
		ls = append(ls, PracticeLetter{From: "practice@example.org", To: c.Address, Subject: "读书会周六活动，" + c.Name + "，期待您来", At: f.at(0).Add(time.Duration(i) * time.Second), Size: 1432 + int64(i)*7})
	}
	return ls
}
