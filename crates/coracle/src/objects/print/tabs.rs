//! Text in columns: cells end with a tab, and a column is as wide as its widest cell over the
//! neighbouring lines that have it. What kubectl's two writers of columns do (Go's `tabwriter`).

/// How wide columns are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The least width of a column, characters, padding included.
    pub(crate) width_min: usize,
    /// Spaces after the widest cell.
    pub(crate) padding: usize,
}

/// Tables.
pub(crate) const TABLE: Style = Style { width_min: 6, padding: 3 };

/// `describe`.
pub(crate) const DESCRIBE: Style = Style { width_min: 0, padding: 2 };

/// Aligns the lines of a text.
pub(crate) fn align(text: &str, style: Style) -> String {
    aligned(text, style, None)
}

/// The same; columns are at least as wide as those that were written before, which `widths` keeps.
pub(crate) fn align_as_before(text: &str, style: Style, widths: &mut Vec<usize>) -> String {
    aligned(text, style, Some(widths))
}

fn aligned(text: &str, style: Style, widest: Option<&mut Vec<usize>>) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return String::new();
    }
    let lines: Vec<Vec<&str>> = body.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut writer = Writer { style, widest, now: Vec::new(), out: String::new() };
    writer.format(&lines);
    let mut out = writer.out;
    if !text.ends_with('\n') {
        out.pop();
    }
    out
}

struct Writer<'a> {
    style: Style,
    /// The greatest width that each column had, where that is kept.
    widest: Option<&'a mut Vec<usize>>,
    /// The widths of the columns that are open.
    now: Vec<usize>,
    out: String,
}

impl Writer<'_> {
    /// Writes lines, all of which have the columns that are open.
    fn format(&mut self, lines: &[Vec<&str>]) {
        let column = self.now.len();
        let has_column = |line: &Vec<&str>| line.len() > column + 1;
        let mut rest = lines;
        while let Some(first) = rest.first() {
            let alike = has_column(first);
            let length = rest.iter().take_while(|line| has_column(line) == alike).count();
            let (block, after) = rest.split_at(length);
            if alike {
                let cells = block.iter().map(|line| line[column].chars().count());
                let widest = cells.max().unwrap_or(0) + self.style.padding;
                let width = self.remember(column, widest.max(self.style.width_min));
                self.now.push(width);
                self.format(block);
                self.now.pop();
            } else {
                block.iter().for_each(|line| self.line(line));
            }
            rest = after;
        }
    }

    fn remember(&mut self, column: usize, width: usize) -> usize {
        let Some(widest) = self.widest.as_deref_mut() else { return width };
        if widest.len() <= column {
            widest.resize(column + 1, 0);
        }
        widest[column] = widest[column].max(width);
        widest[column]
    }

    fn line(&mut self, cells: &[&str]) {
        for (at, cell) in cells.iter().enumerate() {
            self.out.push_str(cell);
            if let Some(width) = self.now.get(at) {
                let spaces = width.saturating_sub(cell.chars().count());
                self.out.push_str(&" ".repeat(spaces));
            }
        }
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_and_three() {
        let text = "NAME\tAGE\nlong-name\t5s\n";
        assert_eq!(align(text, TABLE), "NAME        AGE\nlong-name   5s\n");
        assert_eq!(align("A\tB\n1\t2\n", TABLE), "A     B\n1     2\n");
    }

    #[test]
    fn a_column_ends_where_a_line_lacks_it() {
        let text = "Name:\tx\nStatus:\ty\nConditions:\n  Ready \tTrue \n  Initialized \tTrue \n";
        let wanted =
            "Name:    x\nStatus:  y\nConditions:\n  Ready         True \n  Initialized   True \n";
        assert_eq!(align(text, DESCRIBE), wanted);
    }

    #[test]
    fn later_rows_are_at_least_as_wide_as_earlier_ones() {
        let mut widths = Vec::new();
        align_as_before("long-name\tx\n", TABLE, &mut widths);
        assert_eq!(align_as_before("a\tb\n", TABLE, &mut widths), "a           b\n");
    }

    #[test]
    fn text_without_an_end_gets_none() {
        assert_eq!(align("a", DESCRIBE), "a");
        assert_eq!(align("", DESCRIBE), "");
    }
}
