// Package contacts reads what people have (tables, pasted text, address books, saved pages, chat records)
// into rows that can be mailed, and says of everything else why it cannot: the charset is found by content,
// columns by header and by content, addresses are normalised, QQ numbers are told apart from phone numbers,
// dates and order numbers.
//
// A Source streams: memory does not grow with the file. Nothing here may know the database, the window or
// the network; a row that was read is handed on and forgotten.
package contacts
