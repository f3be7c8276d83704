package endpoint

// removePIDFile removes a daemon.pid that was judged to be left over, and only
// that one, see [endpointfs.Endpoint.RemovePIDFile].
func (op *operation) removePIDFile(e Evidence) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	if !e.PIDFile.Exists {
		return nil
	}
	if err := op.ep.RemovePIDFile(e.PIDFile.ModTime); err != nil {
		return op.wrap(err)
	}
	return nil
}

// restorePIDFile puts back a daemon.pid that an operation had taken away when it
// was killed.
func (op *operation) restorePIDFile() error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	return op.ep.RestorePIDFile()
}
