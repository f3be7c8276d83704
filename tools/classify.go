package tools

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"chiltepin/tools/operation"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/pool"
	"chiltepin/globus/runtime"
	"chiltepin/globus/tokenstore"
)

// Classify gives an error of the floors below its code, sentence and next
// step. It is the only place where that is decided. An error that is an
// [*Error] already stays as it is; nil stays nil.
func Classify(err error) *operation.Error {
	if err == nil {
		return nil
	}
	var done *operation.Error
	if errors.As(err, &done) {
		return done
	}
	e := (&operation.Error{Code: codeOf(err), Message: operation.Clean(err.Error()), Next: nextSteps(nextOf(err))}).Because(err)
	addData(e, err)
	if e.Code == operation.CodeCanceled {
		e.Message = wordInterruption(e.Message)
	}
	if len(e.Next) == 0 {
		e.Next = nextSteps(nextByCause(err))
	}
	if len(e.Next) == 0 {
		e.Next = nextSteps(nextByCode(e.Code))
	}
	return e
}

// codeOf looks for the most telling cause: an interruption first, for it
// makes every other call fail too, then what the product itself knows, then
// what the services said.
func codeOf(err error) operation.Code {
	switch {
	case is[*endpointfs.LostError](err): // which ends the context
		return operation.CodeConflict
	case errors.Is(err, context.Canceled):
		return operation.CodeCanceled
	case errors.Is(err, auth.ErrNotLoggedIn), demandsLogin(err):
		return operation.CodeNotLoggedIn
	case is[*endpoint.DaemonError](err):
		return operation.CodeFailed
	case is[*endpoint.TimeoutError](err), is[*auth.ExpiredError](err):
		return operation.CodeTimeout
	case is[*auth.ReplacedError](err), is[*auth.PortError](err),
		is[*endpoint.RunningError](err), is[*endpoint.ElsewhereError](err), is[*endpoint.DoubtError](err), is[*endpoint.BusyError](err), is[*endpointfs.LockedError](err):
		return operation.CodeConflict
	case is[*endpoint.PruneError](err):
		if p, _ := errors.AsType[*endpoint.PruneError](err); p.Unknown {
			return operation.CodeNotFound
		}
		return operation.CodeConflict
	case isNotFoundFile(err), is[*pool.UnregisteredError](err), is[*endpointfs.NotFoundError](err), is[*endpoint.UserEndpointError](err):
		return operation.CodeNotFound
	case is[*endpointfs.ExistsError](err):
		return operation.CodeAlreadyExists
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return operation.CodeUnsupported
	case errors.Is(err, auth.ErrNoFlow), is[*endpoint.CheckError](err), is[*endpoint.EmailError](err), is[*globus.SettingError](err),
		is[*endpointfs.NameError](err), is[*endpointfs.OptionError](err), is[*endpointfs.FormatError](err), is[*endpointfs.AmbiguousError](err), is[*log.CursorError](err),
		is[*pool.FileError](err), is[*pool.RenderError](err):
		return operation.CodeInvalid
	case is[*auth.CodeError](err), is[*auth.IdentityError](err), is[*auth.UnconfirmedError](err), is[*auth.ScopeError](err), is[*auth.DeniedError](err), is[*auth.IntrusionError](err):
		return operation.CodeRefused
	case is[*runtime.InstallError](err):
		if i, ok := errors.AsType[*runtime.InstallError](err); ok && i.Cause == runtime.CauseRegistry {
			return operation.CodeUnavailable
		}
		return operation.CodeUnsupported
	case is[*runtime.NoRuntimeError](err), is[*runtime.BrokenError](err), is[*runtime.NoPythonError](err), is[*endpointfs.LockUnsupportedError](err):
		return operation.CodeUnsupported
	case globus.IsUnavailable(err):
		return operation.CodeUnavailable
	case is[*globus.Error](err):
		return operation.CodeRefused
	case errors.Is(err, context.DeadlineExceeded):
		return operation.CodeTimeout
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return operation.CodeRefused
	case errors.Is(err, syscall.ENOTDIR):
		return operation.CodeInvalid
	}
	return operation.CodeInternal
}

// demandsLogin is true of a refusal that another login would cure.
func demandsLogin(err error) bool {
	g, ok := errors.AsType[*globus.Error](err)
	return ok && !g.Requirements.IsZero()
}

// isNotFoundFile is true for a configuration that is not there.
func isNotFoundFile(err error) bool {
	return is[*pool.FileError](err) && errors.Is(err, fs.ErrNotExist)
}

// wordInterruption says a person's word for what Go calls it.
func wordInterruption(message string) string {
	return strings.NewReplacer(context.Canceled.Error(), "interrupted", "interrupt signal received", "interrupted", "terminated signal received", "interrupted").Replace(message)
}

// nextOf is what an error says to do, and the operations that help with the
// errors of floors which know none.
func nextOf(err error) []next.Step {
	steps := next.Of(err)
	for _, s := range nextByType(err) {
		if !slices.ContainsFunc(steps, func(t next.Step) bool { return t.Operation == s.Operation }) {
			steps = append(steps, s)
		}
	}
	return steps
}

func nextByType(err error) []next.Step {
	if e, ok := errors.AsType[*endpointfs.NotFoundError](err); ok && !e.Leftover {
		steps := []next.Step{next.Call(next.EndpointList, nil, "see which endpoints there are")}
		if e.Configurable() {
			steps = append(steps, next.Endpoint(next.EndpointConfigure, e.Name, "make it"))
		}
		return steps
	}
	if e, ok := errors.AsType[*endpointfs.ExistsError](err); ok {
		return []next.Step{next.Endpoint(next.EndpointStatus, e.Name, "see the one that is there")}
	}
	if e, ok := errors.AsType[*endpointfs.LockedError](err); ok {
		return []next.Step{next.Endpoint(next.EndpointStatus, e.Name, "see how far it is")}
	}
	if e, ok := errors.AsType[*endpointfs.LostError](err); ok {
		return []next.Step{next.Endpoint(next.EndpointStatus, e.Name, "see how far it came")}
	}
	if is[*tokenstore.StoreFormatError](err) {
		return []next.Step{next.Call(next.Login, nil, "write a new one")}
	}
	return nil
}

// nextByCause is what to do that can be read off the cause where its error says
// nothing.
func nextByCause(err error) []next.Step {
	if g, ok := errors.AsType[*globus.Error](err); ok && g.Code == "invalid_client" {
		return []next.Step{next.Do("check GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET")}
	}
	do := ""
	switch {
	case errors.Is(err, context.Canceled):
	case errors.Is(err, fs.ErrPermission):
		do = "see who may read and write " + pathIn(err) + ", or use another configuration directory"
	case errors.Is(err, syscall.EROFS):
		do = "the file system is read-only: try again once it can be written, or use another configuration directory"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		do = "make room on the disk, or in the quota, and try again"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		do = "allow more open files (ulimit -n), and try again"
	case errors.Is(err, syscall.ENOTDIR):
		do = "name a directory as the configuration directory"
	}
	return doOne(do)
}

// pathIn is the path that an error names, "there" for none.
func pathIn(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok && filepath.IsAbs(p.Path) {
		return p.Path
	}
	return "there"
}

func doOne(what string) []next.Step {
	if what == "" {
		return nil
	}
	return []next.Step{next.Do(what)}
}

// addData puts what a failure has to show beside its sentence into the words
// of the wire.
func addData(e *operation.Error, err error) {
	var data operation.ErrorData
	some := false
	if d, ok := errors.AsType[*endpoint.DaemonError](err); ok {
		data.Meaning, data.Cause, some = operation.Clean(d.Meaning), operation.Clean(d.Cause), true
		if d.ExitStatus >= 0 {
			data.ExitStatus = &d.ExitStatus
		}
		data.Lines = cleanEach(d.Lines)
	}
	if d, ok := errors.AsType[*endpoint.DeleteError](err); ok {
		data.Steps, some = stepResults(d.Steps), true
	}
	if d, ok := errors.AsType[*endpoint.PruneStepsError](err); ok {
		data.Steps, some = stepResults(d.Steps), true
	}
	if d, ok := errors.AsType[*endpoint.ElsewhereError](err); ok {
		data.Host, some = operation.Clean(d.Host), true
	}
	if d, ok := errors.AsType[*pool.RenderError](err); ok {
		data.Cause, data.Lines, some = operation.Clean(d.Cause), cleanEach(d.Lines), true
	}
	if d, ok := errors.AsType[*runtime.InstallError](err); ok {
		data.Cause, data.Lines, some = string(d.Cause), cleanEach(d.Lines), true
	}
	if d, ok := errors.AsType[*globus.Error](err); ok {
		data.Service, some = &operation.ServiceSays{Status: d.Status, Code: operation.Clean(d.Code), Message: operation.Clean(d.Message)}, true
	}
	if some {
		e.Data = &data
	}
}

func cleanEach(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, operation.Clean(l))
	}
	return out
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// nextByCode is what to do about a failure that is known by its code alone.
func nextByCode(c operation.Code) []next.Step {
	switch c {
	case operation.CodeNotLoggedIn:
		return []next.Step{next.Call(next.Login, nil, "")}
	case operation.CodeUnavailable:
		return []next.Step{next.Do("try again in a minute; if it stays so, check the network and its proxy")}
	case operation.CodeTimeout:
		return []next.Step{next.Do("run it again, with a longer timeout if need be: it continues from where things stand")}
	case operation.CodeCanceled:
		return []next.Step{next.Do("run it again: it continues from where things stand")}
	case operation.CodeInternal:
		return []next.Step{next.Do("report it, with what the log of level debug says")}
	case operation.CodeRefused:
		return []next.Step{next.Call(next.Whoami, nil, "see who is logged in")}
	case operation.CodeNotFound:
		return []next.Step{next.Call(next.EndpointList, nil, "see which endpoints there are")}
	}
	return nil
}
