(function () {
  "use strict";
  var form = document.querySelector(".filter");
  if (!form) return;
  var place = document.getElementById("location");
  var text = document.getElementById("text");
  var shown = document.getElementById("shown");
  var sections = Array.from(document.querySelectorAll("section[data-location]"), function (section) {
    var bodies = Array.from(section.querySelectorAll("tbody"), function (body) {
      return { body: body, words: body.textContent.toLowerCase() };
    });
    return { section: section, location: section.dataset.location, bodies: bodies };
  });
  function filter() {
    var wanted = text.value.trim().toLowerCase();
    var count = 0;
    sections.forEach(function (entry) {
      var here = place.value === "" || place.value === entry.location;
      var any = false;
      entry.bodies.forEach(function (row) {
        var match = here && row.words.includes(wanted);
        if (row.body.hidden === match) row.body.hidden = !match;
        any = any || match;
        if (match) count += 1;
      });
      entry.section.hidden = !any;
    });
    var noun = shown.dataset.noun || "network";
    shown.textContent = count + " " + noun + (count === 1 ? "" : "s");
  }
  var waiting;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  }
  place.addEventListener("change", filter);
  text.addEventListener("input", soon);
  form.addEventListener("submit", function (event) { event.preventDefault(); filter(); });
})();
