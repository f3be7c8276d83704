package mcp

import (
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// method is how the server answers one method of the protocol.
type method struct {
	// answer returns the result, or what is wrong. It is nil for a tool's
	// call, which answers by itself.
	answer func(*request) (any, *mcp.JSONRPCErrorDetails)
	// gone is set for what the new era has no more.
	gone bool
	// looks is set for what looks at the file system, stays for what goes on
	// until the client ends it; the others are answered between two messages.
	looks, stays bool
	// needs names what the server must have, "" for what it always has.
	needs capability
	// cached is set for results that the new era wants to say how long they
	// are good for, which is keep.
	cached bool
	keep   time.Duration
}

// keepList is for lists that cannot change while the server runs.
const keepList = time.Hour

// protocolMethods are the methods of every revision.
func protocolMethods() map[string]method {
	return map[string]method{
		string(mcp.MethodInitialize):             {answer: (*request).initialize, gone: true},
		string(mcp.MethodPing):                   {answer: (*request).ping, gone: true},
		string(mcp.MethodServerDiscover):         {answer: (*request).discover, cached: true, keep: keepList},
		string(mcp.MethodSubscriptionsListen):    {answer: (*request).listen, stays: true},
		string(mcp.MethodSetLogLevel):            {answer: (*request).setLogLevel, gone: true, needs: logging},
		string(mcp.MethodToolsList):              {answer: (*request).listTools, cached: true, keep: keepList},
		string(mcp.MethodToolsCall):              {},
		string(mcp.MethodResourcesList):          {answer: (*request).listResources, looks: true, needs: resources, cached: true},
		string(mcp.MethodResourcesTemplatesList): {answer: (*request).listResourceTemplates, needs: resources, cached: true, keep: keepList},
		string(mcp.MethodResourcesRead):          {answer: (*request).readResource, looks: true, cached: true},
		string(mcp.MethodResourcesSubscribe):     {answer: (*request).subscribe, looks: true, gone: true},
		string(mcp.MethodResourcesUnsubscribe):   {answer: (*request).unsubscribe, gone: true, needs: resources},
		string(mcp.MethodPromptsList):            {answer: (*request).listPrompts, needs: prompts, cached: true, keep: keepList},
		string(mcp.MethodPromptsGet):             {answer: (*request).getPrompt, looks: true, needs: prompts},
		string(mcp.MethodCompletionComplete):     {answer: (*request).complete, looks: true, needs: completions},
	}
}

// dispatch answers the request by its method.
func (r *request) dispatch() {
	m, known := r.methods[r.Method]
	switch {
	case !known:
		r.replyError(fault(mcp.METHOD_NOT_FOUND, "Method "+r.Method+" not found"))
	case m.gone && r.modern:
		r.replyError(fault(mcp.METHOD_NOT_FOUND, `"`+r.Method+`" was removed in protocol version `+mcp.ProtocolVersion20260728))
	case m.needs != "" && !r.hasCapability(m.needs):
		r.replyError(fault(mcp.METHOD_NOT_FOUND, string(m.needs)+" not supported"))
	case m.answer == nil:
		r.callTool()
	case m.stays:
		r.Go(func() { r.answerWith(m) })
	case m.looks:
		r.Run(r.Method, nil, func() { r.answerWith(m) })
	default:
		r.answerWith(m)
	}
}

func (r *request) answerWith(m method) {
	result, f := m.answer(r)
	if f != nil {
		r.replyError(f)
		return
	}
	r.replyResult(result, m)
}
