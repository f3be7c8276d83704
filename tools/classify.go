package tools

func Classify(err error) *Error { return nil }
