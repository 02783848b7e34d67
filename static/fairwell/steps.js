// When htmx cannot reach the server, hand the click to the browser: it says so, and offers to try again.
document.addEventListener("htmx:sendError", ({ detail }) => {
  const { elt, pathInfo } = detail;
  if (elt instanceof HTMLFormElement) {
    elt.action = pathInfo.requestPath;
    elt.submit();
  } else location.assign(pathInfo.requestPath);
});
