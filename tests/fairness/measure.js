// Runs inside a page and returns what can be counted there, without changing it. One argument: the selector of the
// control that leads on towards leaving. How each figure is meant stands in docs/fairness.md.
(leavingSelector) => {
  const main = document.querySelector("main") ?? document.body;
  const CONTROLS = "a[href], button, summary, input[type=submit], input[type=button], input[type=image], [role=button], [role=link]";
  const FIELDS =
    "input:not([type=hidden], [type=submit], [type=button], [type=reset], [type=image]), select, textarea, [contenteditable=true]";

  // ---------------------------------------------------------------- what can be seen

  const shown = (element) => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1;
  };
  const label = (element) => (element.innerText || element.value || element.getAttribute("aria-label") || "").trim();

  // ---------------------------------------------------------------- colours, whatever syntax they are written in

  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  brush.canvas.width = brush.canvas.height = 1;
  const rgba = (colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), rgba("Canvas"));
  };
  const light = ([r, g, b]) => {
    const linear = (part) => ((part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  // ---------------------------------------------------------------- a control and how much of it there is to see

  const control = (element) => {
    const style = getComputedStyle(element);
    const ground = behind(element.parentElement ?? element);
    const own = over(rgba(style.backgroundColor), ground);
    const text = contrast(over(rgba(style.color), own), own);
    const fill = contrast(own, ground);
    const sides = ["Top", "Right", "Bottom", "Left"];
    const edged = sides.every((side) => parseFloat(style[`border${side}Width`]) >= 1 && style[`border${side}Style`] !== "none");
    const edge = edged ? contrast(over(rgba(style.borderTopColor), ground), ground) : 1;
    const kind = fill >= 1.3 ? 2 : edge >= 1.3 ? 1 : 0; // filled, outlined, bare
    // A bare control is as large as its words, however wide its box is.
    const range = document.createRange();
    range.selectNodeContents(element);
    const words = range.getBoundingClientRect();
    const box = kind || !words.width ? element.getBoundingClientRect() : words;
    const opacity = (() => {
      let product = 1;
      for (let at = element; at; at = at.parentElement) product *= parseFloat(getComputedStyle(at).opacity);
      return product;
    })();
    const seen = 1 + (Math.max(text, fill, edge) - 1) * opacity;
    return {
      label: label(element).slice(0, 60),
      action: element.dataset.action ?? "",
      kind,
      text_contrast: 1 + (text - 1) * opacity,
      font_px: parseFloat(style.fontSize),
      weight: box.width * box.height * seen,
    };
  };

  const leaving = leavingSelector && [...document.querySelectorAll(leavingSelector)].find(shown);
  const controls = [...document.querySelectorAll(CONTROLS)].filter(shown);
  // What leads out, too, is no rival: the entries that every public page shows.
  const rivals = controls.filter((element) => element !== leaving && !element.dataset.entry).map(control);
  const strongest = rivals.reduce((best, rival) => (rival.weight > (best?.weight ?? 0) ? rival : best), null);

  // What agrees to an option, beside what leaves and what says no to all of them.
  const strongestOf = (elements) => elements.map(control).reduce((best, one) => (one.weight > (best?.weight ?? 0) ? one : best), null);
  const agreeing = strongestOf(controls.filter((element) => element.closest("[data-offer]")));
  const declining = controls.find((element) => element.dataset.action === "decline");

  // ---------------------------------------------------------------- the order of the keyboard

  const stops = [...main.querySelectorAll(`${CONTROLS}, ${FIELDS}`)]
    .filter((element) => shown(element) && element.tabIndex >= 0 && !element.disabled)
    .map((element, place) => ({ element, place, index: element.tabIndex || Infinity }))
    .sort((a, b) => a.index - b.index || a.place - b.place)
    .map(({ element }) => element);
  // Of the buttons of a radio group the keyboard stops at one.
  const groups = new Set();
  const visited = stops.filter((element) => {
    if (element.type !== "radio") return true;
    const group = `${element.form?.action} ${element.name}`;
    return groups.has(group) ? false : groups.add(group);
  });
  // What leads back to a field, to correct it, goes with the fields.
  const acting = visited.filter((element) => element.matches(CONTROLS) && element.dataset.action !== "edit");

  // ---------------------------------------------------------------- fields

  // What stands in a closed <details> is offered, too.
  const offered = (element) => shown(element) || Boolean(element.closest("details:not([open])") && !element.closest("[hidden]"));
  const sets = [...main.querySelectorAll("fieldset")];
  const fields = new Map();
  for (const element of [...main.querySelectorAll(FIELDS)].filter(offered)) {
    const isChoice = element.type === "radio" || element.type === "checkbox";
    const key = element.type === "radio" ? `radio ${element.name}` : element.name || element.id;
    // What stands in one set belongs to one question.
    const set = sets.findLast((one) => one.contains(element) && !one.parentElement.closest("fieldset"));
    const group = set ? `set ${sets.indexOf(set)}` : key;
    const field = fields.get(key) ?? { name: element.name, type: element.type, group, mandatory: false, pre_made: false };
    // Another form on the page demands nothing of somebody who leaves by this one.
    const asked = element.required || element.getAttribute("aria-required") === "true";
    field.mandatory ||= asked && (!element.form || element.form === leaving?.form);
    field.pre_made ||= isChoice ? element.checked : element.tagName === "SELECT" && Boolean(element.value);
    fields.set(key, field);
  }

  // ---------------------------------------------------------------- words

  const text = main.innerText;
  const segments = new Intl.Segmenter(document.documentElement.lang || "en", { granularity: "word" });
  const words = [...segments.segment(text)].filter(({ isWordLike }) => isWordLike).length;

  const footer = [...document.querySelectorAll("body > footer *")].filter((element) => shown(element) && element.children.length === 0 && label(element));
  const sizes = footer.map((element) => parseFloat(getComputedStyle(element).fontSize)).sort((a, b) => a - b);
  const entry = "input[type=password], input[autocomplete=one-time-code], input[autocomplete=current-password], form[action*='sign-in'], form[action*=login]";

  return {
    path: location.pathname,
    title: document.title,
    step: main.dataset.step ?? "",
    text,
    words,
    fields: [...fields.values()],
    leaving: leaving ? control(leaving) : null,
    strongest_rival: strongest,
    agreeing,
    declining: declining ? control(declining) : null,
    strongest_kind: Math.max(0, ...rivals.map(({ kind }) => kind)),
    tab_position: leaving ? visited.indexOf(leaving) + 1 : 0,
    tab_among_controls: leaving ? acting.indexOf(leaving) + 1 : 0,
    choices: controls.filter((element) => main.contains(element) && element !== leaving).length,
    asks_to_sign_in: Boolean(main.querySelector(entry)),
    other_channels: main.querySelectorAll("a[href^='tel:'], a[href^='sms:']").length,
    offers: [...main.querySelectorAll("[data-offer]")].filter(shown).map((element) => element.dataset.offer),
    footer_font_px: sizes.length ? sizes[Math.floor((sizes.length - 1) / 2)] : 0,
    errors: [...main.querySelectorAll(".errorlist, [role=alert]")].filter(shown).map(label),
  };
}
