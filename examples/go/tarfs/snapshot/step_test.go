package snapshot

// SetStep has a function called before and after each change of the directory.
func SetStep(f func()) { step = f }
