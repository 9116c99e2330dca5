package conformance

// Suited is the table of flags, by the measures that they go with.
func Suited() map[string][]string { return suited }
