// Package compose turns letters into messages: it reads letter files, compiles the merge language and the
// Markdown or HTML around it once, and then writes one MIME message (RFC 5322, RFC 2045) for each recipient.
// The preview, the test letter and the campaign use the same Compiled, so what is shown is what is sent.
//
// The merge language is small and linear, with no loops and no functions:
//
//	{{name}}                    a field; empty when this recipient has none
//	{{name|friend}}             a fallback, which may be empty: {{city|}}
//	{{#if city}}..{{else}}..{{/if}}
//	{{day:YYYY-MM-DD}}          a date (2026-11-24, 2026/11/24 or 20261124) in another form
//	{{sum:0.00}}, {{sum:#,##0.00}}  a number in another form
//	\{{                         two braces, literally
//
// Built in are name (姓名, 称呼), email (邮箱), today (今天), the day in the message's Date field, and unsubscribe
// (退订), the way out that the List-Unsubscribe field names. A recipient's own field of one of the Chinese
// names, or of the name today or unsubscribe, goes first.
//
// An attachment whose name the body shows as an image, ![](photo.png), goes inside the letter.
//
// It must not know the database, the window, or how a message is sent.
package compose
