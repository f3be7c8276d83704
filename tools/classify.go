package tools

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/pool"
	"chiltepin/globus/runtime"
)

// Classify gives an error of the floors below its code, sentence and next
// step. It is the only place where that is decided. An error that is an
// [*Error] already stays as it is; nil stays nil.
func Classify(err error) *Error {
	if err == nil {
		return nil
	}
	var done *Error
	if errors.As(err, &done) {
		return done
	}
	e := (&Error{Code: codeOf(err), Message: Clean(err.Error()), Next: Clean(hint(err))}).Because(err)
	addData(e, err)
	if e.Code == CodeCanceled {
		e.Message = interrupted(e.Message)
	}
	if e.Next == "" {
		e.Next = Clean(nextBy(err))
	}
	if e.Next == "" {
		e.Next = nextFor(e.Code)
	}
	return e
}

// codeOf looks for the most telling cause: an interruption first, for it
// makes every other call fail too, then what the product itself knows, then
// what the services said.
func codeOf(err error) Code {
	switch {
	case is[*endpointfs.LostError](err): // which ends the context
		return CodeConflict
	case errors.Is(err, context.Canceled):
		return CodeCanceled
	case errors.Is(err, auth.ErrNotLoggedIn), demands(err):
		return CodeNotLoggedIn
	case is[*endpoint.DaemonError](err):
		return CodeFailed
	case is[*endpoint.TimeoutError](err), is[*auth.ExpiredError](err):
		return CodeTimeout
	case is[*auth.ReplacedError](err), is[*auth.PortError](err),
		is[*endpoint.RunningError](err), is[*endpoint.ElsewhereError](err), is[*endpoint.DoubtError](err), is[*endpoint.BusyError](err), is[*endpointfs.LockedError](err):
		return CodeConflict
	case is[*endpoint.PruneError](err):
		if p, _ := errors.AsType[*endpoint.PruneError](err); p.Unknown {
			return CodeNotFound
		}
		return CodeConflict
	case isNotFoundFile(err), is[*pool.UnregisteredError](err), is[*endpointfs.NotFoundError](err), is[*endpoint.UserEndpointError](err):
		return CodeNotFound
	case is[*endpointfs.ExistsError](err):
		return CodeAlreadyExists
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return CodeUnsupported
	case errors.Is(err, auth.ErrNoFlow), is[*endpoint.CheckError](err), is[*endpoint.EmailError](err), is[*globus.SettingError](err),
		is[*endpointfs.NameError](err), is[*endpointfs.OptionError](err), is[*endpointfs.FormatError](err), is[*endpointfs.AmbiguousError](err), is[*log.CursorError](err),
		is[*pool.FileError](err), is[*pool.RenderError](err):
		return CodeInvalid
	case is[*auth.CodeError](err), is[*auth.IdentityError](err), is[*auth.ScopeError](err), is[*auth.DeniedError](err), is[*auth.IntrusionError](err):
		return CodeRefused
	case is[*runtime.InstallError](err):
		if i, ok := errors.AsType[*runtime.InstallError](err); ok && i.Cause == runtime.CauseRegistry {
			return CodeUnavailable
		}
		return CodeUnsupported
	case is[*runtime.NoRuntimeError](err), is[*runtime.BrokenError](err), is[*runtime.NoPythonError](err), is[*endpointfs.LockUnsupportedError](err):
		return CodeUnsupported
	case globus.IsUnavailable(err):
		return CodeUnavailable
	case is[*globus.Error](err):
		return CodeRefused
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return CodeRefused
	case errors.Is(err, syscall.ENOTDIR):
		return CodeInvalid
	}
	return CodeInternal
}

// demands is true of a refusal that another login would mend.
func demands(err error) bool {
	g, ok := errors.AsType[*globus.Error](err)
	return ok && !g.Demand.IsZero()
}

// isNotFoundFile is true for a configuration that is not there.
func isNotFoundFile(err error) bool {
	return is[*pool.FileError](err) && errors.Is(err, fs.ErrNotExist)
}

// interrupted says a person's word for what Go calls it.
func interrupted(message string) string {
	return strings.NewReplacer(context.Canceled.Error(), "interrupted", "interrupt signal received", "interrupted", "terminated signal received", "interrupted").Replace(message)
}

// nextBy is the next step that can be read off the cause where its error, which
// is not ours, offers none.
func nextBy(err error) string {
	if g, ok := errors.AsType[*globus.Error](err); ok && g.Code == "invalid_client" {
		return "check GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET"
	}
	path := ""
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		path = p.Path
	}
	switch {
	case errors.Is(err, context.Canceled):
	case errors.Is(err, auth.ErrNoFlow):
		return "call login without flow and code to begin another"
	case errors.Is(err, fs.ErrPermission) && filepath.IsAbs(path):
		return "see who may read and write there: namei -l " + path
	case errors.Is(err, fs.ErrPermission):
		return "see who may read and write there, or choose another directory with -c"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: try again once it can be written, or choose another directory with -c"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the disk, or in the quota, and try again"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "allow more open files (ulimit -n), and try again"
	case errors.Is(err, syscall.ENOTDIR):
		return "name a directory with -c"
	}
	return ""
}

// addData puts what a failure has to show beside its sentence into the words
// of the wire.
func addData(e *Error, err error) {
	var data ErrorData
	some := false
	if d, ok := errors.AsType[*endpoint.DaemonError](err); ok {
		data.Meaning, data.Cause, some = Clean(d.Meaning), Clean(d.Cause), true
		if d.ExitStatus >= 0 {
			data.ExitStatus = &d.ExitStatus
		}
		data.Lines = cleaned(d.Lines)
	}
	if d, ok := errors.AsType[*endpoint.DeleteError](err); ok {
		data.Steps, some = steps(d.Steps), true
	}
	if d, ok := errors.AsType[*endpoint.PruneStepsError](err); ok {
		data.Steps, some = steps(d.Steps), true
	}
	if d, ok := errors.AsType[*endpoint.ElsewhereError](err); ok {
		data.Host, some = Clean(d.Host), true
	}
	if d, ok := errors.AsType[*pool.RenderError](err); ok {
		data.Cause, data.Lines, some = Clean(d.Cause), cleaned(d.Lines), true
	}
	if d, ok := errors.AsType[*runtime.InstallError](err); ok {
		data.Cause, data.Lines, some = string(d.Cause), cleaned(d.Lines), true
	}
	if d, ok := errors.AsType[*globus.Error](err); ok {
		data.Service, some = &ServiceSays{Status: d.Status, Code: Clean(d.Code), Message: Clean(d.Message)}, true
	}
	if some {
		e.Data = &data
	}
}

func cleaned(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, Clean(l))
	}
	return out
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// nextFor is the next step for a code whose error offered none.
func nextFor(c Code) string {
	switch c {
	case CodeNotLoggedIn:
		return "chiltepin login"
	case CodeUnavailable:
		return "try again in a minute; if it stays so, check the network and its proxy"
	case CodeTimeout:
		return "run it again, with a longer --timeout if need be: it goes on from where things stand"
	case CodeCanceled:
		return "run it again: it goes on from where things stand"
	case CodeInternal:
		return "run it again with --log-level debug, and report what it says"
	case CodeRefused:
		return "check who is logged in with: chiltepin whoami"
	case CodeNotFound:
		return "chiltepin endpoint list"
	}
	return ""
}
