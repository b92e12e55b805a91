// A film: sliders and a Play button above a picture. The frames are files, numbered so that the last
// slider's values change fastest.
"use strict";

function startFilm(film) {
  const picture = film.querySelector("img");
  const play = film.querySelector("button");
  const sliders = [...film.querySelectorAll("input")];
  const frames = [];
  let timer = null;

  function frame(number) {
    if (!frames[number]) {
      frames[number] = new Image();
      frames[number].src = `${film.dataset.frames}${number}.png`;
    }
    return frames[number];
  }

  // Load all frames as soon as somebody seems to want them.
  function loadAll() {
    const count = sliders.reduce((product, slider) => product * (+slider.max + 1), 1);
    for (let number = 0; number < count; number++) frame(number).decode().catch(() => {});
  }

  function show() {
    let number = 0;
    const places = sliders.map((slider) => {
      const label = JSON.parse(slider.dataset.labels)[slider.value];
      number = number * (+slider.max + 1) + +slider.value;
      slider.setAttribute("aria-valuetext", label);
      slider.nextElementSibling.textContent = label;
      return `${slider.previousElementSibling.textContent} ${label}`;
    });
    picture.src = frame(number).src;
    picture.alt = `A film, at ${places.join(", ")}.`;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  function step() {
    sliders[0].value = +sliders[0].value + 1;
    show();
    if (sliders[0].value === sliders[0].max) stop();
  }

  play.addEventListener("click", () => {
    if (timer) return stop();
    play.textContent = "Pause";
    timer = setInterval(step, 600);
    if (sliders[0].value === sliders[0].max) {
      sliders[0].value = 0;
      show();
    } else {
      step();
    }
  });
  sliders.forEach((slider) => slider.addEventListener("input", () => {
    if (timer) stop();
    show();
  }));
  ["pointerover", "focusin", "touchstart"].forEach((event) =>
    film.addEventListener(event, loadAll, { once: true, passive: true }));
}

document.querySelectorAll("figure.film").forEach(startFilm);
