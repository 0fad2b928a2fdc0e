// Command store measures imports and long lists: a CSV of a million people into a data folder that has a million
// already, beside what the sqlite3 command line needs to load the same file into the same tables, the order and the
// search of the list, its pages, and a workbook of 100,000 rows beside a bare loop of excelize. It writes the section
// of docs/performance.md that scripts/bench-store.sh names. It may know the engine and the store, and no window.
package main
