package daemon

import "encoding/json"

// ReportedTasks reads the number of tasks that a user endpoint has accepted and
// not finished from the details that it reports to the service
// (get_status_report in engines/globus_compute.py), -1 when they do not say.
func ReportedTasks(details json.RawMessage) int {
	var v struct {
		Tasks *int `json:"outstanding_tasks"`
	}
	if len(details) == 0 || json.Unmarshal(details, &v) != nil || v.Tasks == nil || *v.Tasks < 0 {
		return -1
	}
	return *v.Tasks
}

// reportedWorkers reads the number of workers, -1 when the details do not say.
func reportedWorkers(details json.RawMessage) int {
	var v struct {
		Workers *int `json:"total_workers"`
	}
	if len(details) == 0 || json.Unmarshal(details, &v) != nil || v.Workers == nil {
		return -1
	}
	return *v.Workers
}
