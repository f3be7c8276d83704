package mcp

// instructions are what a model is told of the server as a whole.
func (s *instance) instructions() string { return "" }
