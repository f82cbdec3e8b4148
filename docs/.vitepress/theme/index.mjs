import "./style.css";

// Without the fonts of the default theme, which are larger than the first page: those of the system do.
export { default } from "vitepress/theme-without-fonts";
