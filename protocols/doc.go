// Package protocols is the domain: measures and their units, readings, care
// protocols with their rules, and the evaluation of readings against rules.
//
// It is pure: the standard library only, no input or output, no clock. What
// time it is, is passed in.
package protocols
