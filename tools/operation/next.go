package operation

import (
	"encoding/json"
	"maps"
)

// Next is one thing to do about a failure or a finding: an operation to call,
// or a sentence where none helps. It is data; the face of a call words it, as a
// command, a tool or a method, once the operation has ended. See [WithWording].
type Next struct {
	// Operation is the wire name of the operation that helps, "" where none of
	// ours does.
	Operation string
	// Args are the arguments to call it with, by their JSON names, without the
	// configuration directory: that of the call stands in for it.
	Args map[string]any
	// Why is what the operation is good for, as it would follow "to"; or,
	// without an operation, what to do, in the imperative.
	Why string
	// Host and User say where and as whom it has to be run, where that is not
	// here and as the caller.
	Host, User string

	words *Words // once a face has worded it
}

// Do is a step that no operation helps with.
func Do(what string) []Next { return []Next{{Why: what}} }

// Call is a step that calls an operation.
func Call(operation string, args map[string]any, why string) []Next {
	return []Next{{Operation: operation, Args: args, Why: why}}
}

// Words are the call of an operation as a face has it.
type Words struct {
	// Members stand in JSON: {"command":…}, {"tool":…,"arguments":…} or
	// {"method":…,"params":…}.
	Members map[string]any
	// Text is the same on one line.
	Text string
}

// MarshalJSON writes an object: the words of the face, and beside them "why",
// "host" and "user" where there are any; {"do":…} where no operation helps; and
// {"operation":…,"arguments":…} where no face has worded it.
func (n Next) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	switch {
	case n.Operation == "":
		out["do"] = n.Why
		return Marshal(out)
	case n.words != nil:
		maps.Copy(out, n.words.Members)
	default:
		out["operation"] = n.Operation
		if len(n.Args) > 0 {
			out["arguments"] = n.Args
		}
	}
	for name, text := range map[string]string{"why": n.Why, "host": n.Host, "user": n.User} {
		if text != "" {
			out[name] = text
		}
	}
	return Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; the words of a face are kept as
// they are.
func (n *Next) UnmarshalJSON(b []byte) error {
	var in struct {
		Do, Why, Host, User, Operation string
		Arguments                      map[string]any
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*n = Next{Operation: in.Operation, Why: in.Why, Host: in.Host, User: in.User}
	if in.Operation != "" {
		n.Args = in.Arguments
	}
	if in.Do != "" {
		n.Why = in.Do
		return nil
	}
	members := map[string]any{}
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	for _, shared := range []string{"why", "host", "user"} {
		delete(members, shared)
	}
	n.words = &Words{Members: members}
	return nil
}

// String is the step on one line, in the words of the face where it has worded
// it.
func (n Next) String() string {
	if n.Operation == "" {
		return n.Why
	}
	text := n.Operation
	if n.words != nil {
		text = n.words.Text
	} else if len(n.Args) > 0 {
		if b, err := Marshal(n.Args); err == nil {
			text += " " + string(b)
		}
	}
	if n.Why != "" {
		text = "to " + n.Why + ": " + text
	}
	return text
}
