// Shows the refusals of an operation in one line, until somebody opens it: an operation fits a screen.
const foldRefusals = (Responses, { React }) =>
  function FoldedResponses(props) {
    const [isOpen, setOpen] = React.useState(false);
    const isRefusal = (_, code) => code >= "400";
    const refusals = props.responses.filter(isRefusal);
    const part = (responses, more) => React.createElement(Responses, { ...props, responses, ...more });
    return React.createElement(
      React.Fragment,
      null,
      part(props.responses.filterNot(isRefusal)),
      React.createElement(
        "details",
        { className: "refusals", onToggle: (event) => setOpen(event.currentTarget.open) },
        React.createElement("summary", null, `Refusals: ${refusals.keySeq().join(", ")}`),
        isOpen && part(refusals, { tryItOutResponse: null }),
      ),
    );
  };

// Swagger UI shows "never" where an object has no members but those that are named.
const hideNever = (Keyword, { React }) =>
  function AdditionalProperties(props) {
    return props.schema.additionalProperties === false ? null : React.createElement(Keyword, props);
  };

window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [
      {
        wrapComponents: {
          responses: foldRefusals,
          JSONSchema202012KeywordAdditionalProperties: hideNever,
        },
      },
    ],
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
});
