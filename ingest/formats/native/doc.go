// Package native decodes Vigie's own JSON: one reading as an object, or several
// in an array.
//
//	{"id":"018f6f2c-…","time":"2026-11-21T07:02:11+01:00","measure":"blood-pressure",
//	 "values":{"systolic":142,"diastolic":91,"pulse":72},"unit":"mmHg",
//	 "source":"device","context":{"posture":"sitting"},"flags":["irregular-pulse"],"battery":87}
//
// A reading is used whole or not at all. A field that no reading has, a key given
// twice and a number written as a string are refused, each with its path and a
// sentence. All that is wrong with a reading is told at once, up to 32 reasons. A payload that is not JSON is refused whole.
package native
