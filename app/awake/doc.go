// Package awake keeps the machine from falling asleep by itself while letters leave. It knows nothing of letters or
// campaigns, and never keeps a user from sending the machine to sleep.
package awake
